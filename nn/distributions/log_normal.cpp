#include "xtgrad/nn/distributions/log_normal.h"

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/distributions/parameters.h"

namespace xtgrad::inline v1::distributions {

LogNormal::LogNormal(const LogNormalParameters& parameters)
    : DistributionBase(
          detail::common_shape("LogNormal", {{"loc", parameters.loc}, {"scale", parameters.scale}}), {},
          parameters.loc.dtype()),
      base_({.loc = detail::checked_number("LogNormal", {"loc", parameters.loc}),
             .scale = detail::checked_positive("LogNormal", {"scale", parameters.scale})}) {}

Tensor LogNormal::rsample(const Shape& sample_shape, Random& random) const {
  return exp(base_.rsample(sample_shape, random));
}

Tensor LogNormal::log_prob(const Tensor& value) const {
  const Tensor x = detail::value_in(dtype(), "LogNormal", value);
  const Tensor outside = x <= 0;
  const Tensor log_x = log(where(outside, 1, x));
  return detail::outside_is_impossible(outside, base_.log_prob(log_x) - log_x);
}

Tensor LogNormal::entropy() const { return base_.entropy() + loc(); }
Tensor LogNormal::mean() const { return over_batch(exp(loc() + 0.5 * square(scale()))); }

Tensor LogNormal::variance() const {
  const Tensor square_scale = square(scale());
  return over_batch(expm1(square_scale) * exp(2 * loc() + square_scale));
}

Tensor LogNormal::stddev() const { return sqrt(variance()); }

Tensor LogNormal::cdf(const Tensor& value) const {
  const Tensor x = detail::value_in(dtype(), "LogNormal", value);
  const Tensor outside = x <= 0;
  return where(outside, 0, base_.cdf(log(where(outside, 1, x))));
}

Tensor LogNormal::icdf(const Tensor& q) const { return exp(base_.icdf(q)); }

Tensor LogNormal::sample(const Shape& sample_shape, Random& random) const {
  const NoGrad no_grad;
  return rsample(sample_shape, random);
}

}  // namespace xtgrad::v1::distributions
