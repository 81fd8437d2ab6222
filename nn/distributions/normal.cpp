#include "xtgrad/nn/distributions/normal.h"

#include <cmath>
#include <numbers>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/special.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/distributions/parameters.h"

namespace xtgrad::inline v1::distributions {

Normal::Normal(const NormalParameters& parameters)
    : DistributionBase(detail::common_shape("Normal", {{"loc", parameters.loc}, {"scale", parameters.scale}}),
                       {}, parameters.loc.dtype()),
      loc_(detail::checked_number("Normal", {"loc", parameters.loc})),
      scale_(detail::checked_positive("Normal", {"scale", parameters.scale})) {}

Tensor Normal::rsample(const Shape& sample_shape, Random& random) const {
  return loc_ + scale_ * randn(extended(sample_shape), random, {.dtype = dtype()});
}

Tensor Normal::log_prob(const Tensor& value) const {
  const Tensor z = (detail::value_in(dtype(), "Normal", value) - loc_) / scale_;
  return -0.5 * square(z) - log(scale_) - 0.5 * std::log(2 * std::numbers::pi);
}

Tensor Normal::entropy() const {
  return over_batch(log(scale_) + 0.5 * (1 + std::log(2 * std::numbers::pi)));
}

Tensor Normal::mean() const { return over_batch(loc_); }
Tensor Normal::variance() const { return over_batch(square(scale_)); }
Tensor Normal::stddev() const { return over_batch(scale_); }

Tensor Normal::cdf(const Tensor& value) const {
  return normal_cdf((detail::value_in(dtype(), "Normal", value) - loc_) / scale_);
}

Tensor Normal::icdf(const Tensor& q) const {
  return loc_ + scale_ * (std::numbers::sqrt2 * erfinv(2 * detail::value_in(dtype(), "Normal", q) - 1));
}

Tensor Normal::sample(const Shape& sample_shape, Random& random) const {
  const NoGrad no_grad;
  return rsample(sample_shape, random);
}

}  // namespace xtgrad::v1::distributions
