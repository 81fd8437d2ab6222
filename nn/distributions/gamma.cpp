#include "xtgrad/nn/distributions/gamma.h"

#include <limits>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/special.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/shape.h"
#include "xtgrad/autograd/parameter_draws.h"
#include "xtgrad/nn/distributions/parameters.h"

namespace xtgrad::inline v1::distributions {

Gamma::Gamma(const GammaParameters& parameters)
    : DistributionBase(detail::common_shape(
                           "Gamma", {{"concentration", parameters.concentration}, {"rate", parameters.rate}}),
                       {}, parameters.concentration.dtype()),
      concentration_(detail::checked_positive("Gamma", {"concentration", parameters.concentration})),
      rate_(detail::checked_positive("Gamma", {"rate", parameters.rate})) {}

Tensor Gamma::rsample(const Shape& sample_shape, Random& random) const {
  return standard_gamma(xtgrad::detail::stretched_to(concentration_, extended(sample_shape)), {}, random) /
         rate_;
}

Tensor Gamma::log_prob(const Tensor& value) const {
  const Tensor x = detail::value_in(dtype(), "Gamma", value);
  const Tensor outside = (x < 0) | (x == std::numeric_limits<double>::infinity());
  const Tensor inside = where(outside, 1, x);
  return detail::outside_is_impossible(outside, concentration_ * log(rate_) - lgamma(concentration_) +
                                                    xlogy(concentration_ - 1, inside) - rate_ * inside);
}

Tensor Gamma::entropy() const {
  return concentration_ - log(rate_) + lgamma(concentration_) +
         (1 - concentration_) * digamma(concentration_);
}

Tensor Gamma::mean() const { return concentration_ / rate_; }
Tensor Gamma::variance() const { return concentration_ / square(rate_); }
Tensor Gamma::stddev() const { return sqrt(concentration_) / rate_; }

Tensor Gamma::sample(const Shape& sample_shape, Random& random) const {
  const NoGrad no_grad;
  return rsample(sample_shape, random);
}

}  // namespace xtgrad::v1::distributions
