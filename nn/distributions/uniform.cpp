#include "xtgrad/nn/distributions/uniform.h"

#include <cmath>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/distributions/parameters.h"

namespace xtgrad::inline v1::distributions {

Uniform::Uniform(const UniformParameters& parameters)
    : DistributionBase(detail::common_shape("Uniform", {{"low", parameters.low}, {"high", parameters.high}}),
                       {}, parameters.low.dtype()),
      low_(detail::checked_number("Uniform", {"low", parameters.low})),
      high_(parameters.high),
      width_(detail::checked_positive("Uniform", {"high - low", parameters.high - parameters.low})) {}

Tensor Uniform::rsample(const Shape& sample_shape, Random& random) const {
  return low_ + width_ * xtgrad::uniform(extended(sample_shape), {}, random, {.dtype = dtype()});
}

Tensor Uniform::log_prob(const Tensor& value) const {
  const Tensor x = detail::value_in(dtype(), "Uniform", value);
  const Tensor inside = 0 * (x - low_) - log(width_);  // NaN at NaN
  return detail::outside_is_impossible((x < low_) | (x > high_), inside);
}

Tensor Uniform::entropy() const { return over_batch(log(width_)); }
Tensor Uniform::mean() const { return low_ + 0.5 * width_; }
Tensor Uniform::variance() const { return over_batch(square(width_) / 12); }
Tensor Uniform::stddev() const { return over_batch(width_ / std::sqrt(12)); }

Tensor Uniform::cdf(const Tensor& value) const {
  const Tensor x = detail::value_in(dtype(), "Uniform", value);
  return where(x < low_, 0, where(x > high_, 1, (x - low_) / width_));
}

Tensor Uniform::icdf(const Tensor& q) const {
  return low_ + width_ * detail::value_in(dtype(), "Uniform", q);
}

Tensor Uniform::sample(const Shape& sample_shape, Random& random) const {
  const NoGrad no_grad;
  return rsample(sample_shape, random);
}

}  // namespace xtgrad::v1::distributions
