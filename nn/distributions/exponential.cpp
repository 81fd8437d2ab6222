#include "xtgrad/nn/distributions/exponential.h"

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/distributions/parameters.h"

namespace xtgrad::inline v1::distributions {

Exponential::Exponential(const ExponentialParameters& parameters)
    : DistributionBase(detail::common_shape("Exponential", {{"rate", parameters.rate}}), {},
                       parameters.rate.dtype()),
      rate_(detail::checked_positive("Exponential", {"rate", parameters.rate})) {}

Tensor Exponential::rsample(const Shape& sample_shape, Random& random) const {
  return -log1p(-uniform(extended(sample_shape), {}, random, {.dtype = dtype()})) / rate_;
}

Tensor Exponential::log_prob(const Tensor& value) const {
  const Tensor x = detail::value_in(dtype(), "Exponential", value);
  return detail::outside_is_impossible(x < 0, log(rate_) - rate_ * x);
}

Tensor Exponential::entropy() const { return 1 - log(rate_); }
Tensor Exponential::mean() const { return reciprocal(rate_); }
Tensor Exponential::variance() const { return reciprocal(square(rate_)); }
Tensor Exponential::stddev() const { return mean(); }

Tensor Exponential::cdf(const Tensor& value) const {
  const Tensor x = detail::value_in(dtype(), "Exponential", value);
  return -expm1(-rate_ * where(x < 0, 0, x));
}

Tensor Exponential::icdf(const Tensor& q) const {
  return -log1p(-detail::value_in(dtype(), "Exponential", q)) / rate_;
}

Tensor Exponential::sample(const Shape& sample_shape, Random& random) const {
  const NoGrad no_grad;
  return rsample(sample_shape, random);
}

}  // namespace xtgrad::v1::distributions
