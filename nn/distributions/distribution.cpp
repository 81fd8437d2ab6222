#include "xtgrad/nn/distributions/distribution.h"

#include "xtgrad/autograd/functions/shape.h"
#include "xtgrad/nn/distributions/parameters.h"

namespace xtgrad::inline v1::distributions {

Shape DistributionBase::extended(const Shape& sample_shape) const {
  return detail::joined(detail::joined(sample_shape, batch_), event_);
}

// A tensor of its own, also where x is a parameter.
Tensor DistributionBase::over_batch(const Tensor& x) const { return broadcast_to(x, batch_); }

}  // namespace xtgrad::v1::distributions
