#include "xtgrad/nn/distributions/poisson.h"

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/special.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/shape.h"
#include "xtgrad/autograd/parameter_draws.h"
#include "xtgrad/nn/distributions/parameters.h"

namespace xtgrad::inline v1::distributions {

Poisson::Poisson(const PoissonParameters& parameters)
    : DistributionBase(detail::common_shape("Poisson", {{"rate", parameters.rate}}), {},
                       parameters.rate.dtype()),
      rate_(detail::checked_not_negative("Poisson", {"rate", parameters.rate})) {}

Tensor Poisson::sample(const Shape& sample_shape, Random& random) const {
  const NoGrad no_grad;
  return poisson(xtgrad::detail::stretched_to(rate_, extended(sample_shape)), random);
}

Tensor Poisson::log_prob(const Tensor& value) const {
  const Tensor count = detail::value_in(dtype(), "Poisson", value);
  const Tensor outside = detail::is_no_count(count);
  const Tensor inside = where(outside, 0, count);
  return detail::outside_is_impossible(outside, xlogy(inside, rate_) - rate_ - lgamma(inside + 1));
}

Tensor Poisson::mean() const { return over_batch(rate_); }
Tensor Poisson::variance() const { return over_batch(rate_); }
Tensor Poisson::stddev() const { return sqrt(rate_); }

}  // namespace xtgrad::v1::distributions
