#include "xtgrad/nn/distributions/beta.h"

#include <limits>

#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/special.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/shape.h"
#include "xtgrad/autograd/parameter_draws.h"
#include "xtgrad/nn/distributions/parameters.h"

namespace xtgrad::inline v1::distributions {

Beta::Beta(const BetaParameters& parameters)
    : DistributionBase(detail::common_shape("Beta", {{"concentration1", parameters.concentration1},
                                                     {"concentration0", parameters.concentration0}}),
                       {}, parameters.concentration1.dtype()),
      concentration1_(detail::checked_positive("Beta", {"concentration1", parameters.concentration1})),
      concentration0_(detail::checked_positive("Beta", {"concentration0", parameters.concentration0})) {}

Tensor Beta::rsample(const Shape& sample_shape, Random& random) const {
  const Shape shape = extended(sample_shape);
  const auto log_draw = [&](const Tensor& alpha) {
    return standard_gamma(xtgrad::detail::stretched_to(alpha, shape), {.log_space = true}, random);
  };
  const Tensor log_of_one = log_draw(concentration1_), log_of_zero = log_draw(concentration0_);
  const ClampOptions inner = xtgrad::detail::visit_floating(dtype(), [](auto zero) {
    using Limits = std::numeric_limits<decltype(zero)>;
    return ClampOptions{.min = static_cast<double>(Limits::min()),
                        .max = 1 - static_cast<double>(Limits::epsilon()) / 2};
  });
  return clamp(sigmoid(log_of_one - log_of_zero), inner);
}

Tensor Beta::log_prob(const Tensor& value) const {
  const Tensor x = detail::value_in(dtype(), "Beta", value);
  const Tensor outside = (x < 0) | (x > 1);
  const Tensor inside = where(outside, 0.5, x);
  const Tensor log_normalizer =
      lgamma(concentration1_) + lgamma(concentration0_) - lgamma(concentration1_ + concentration0_);
  return detail::outside_is_impossible(
      outside, xlogy(concentration1_ - 1, inside) + xlog1py(concentration0_ - 1, -inside) - log_normalizer);
}

Tensor Beta::entropy() const {
  const Tensor &a = concentration1_, &b = concentration0_, total = a + b;
  return lgamma(a) + lgamma(b) - lgamma(total) - (a - 1) * digamma(a) - (b - 1) * digamma(b) +
         (total - 2) * digamma(total);
}

Tensor Beta::mean() const { return concentration1_ / (concentration1_ + concentration0_); }

Tensor Beta::variance() const {
  const Tensor total = concentration1_ + concentration0_;
  return concentration1_ / total * (concentration0_ / total) / (total + 1);
}

Tensor Beta::stddev() const { return sqrt(variance()); }

Tensor Beta::sample(const Shape& sample_shape, Random& random) const {
  const NoGrad no_grad;
  return rsample(sample_shape, random);
}

}  // namespace xtgrad::v1::distributions
