#include "xtgrad/nn/distributions/laplace.h"

#include <numbers>

#include "xtgrad/autograd/core/epsilon.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/distributions/parameters.h"

namespace xtgrad::inline v1::distributions {

Laplace::Laplace(const LaplaceParameters& parameters)
    : DistributionBase(
          detail::common_shape("Laplace", {{"loc", parameters.loc}, {"scale", parameters.scale}}), {},
          parameters.loc.dtype()),
      loc_(detail::checked_number("Laplace", {"loc", parameters.loc})),
      scale_(detail::checked_positive("Laplace", {"scale", parameters.scale})) {}

Tensor Laplace::rsample(const Shape& sample_shape, Random& random) const {
  const double least = -1 + xtgrad::detail::epsilon_of(dtype()) / 2;
  const Tensor u = uniform(extended(sample_shape), {.low = least, .high = 1}, random, {.dtype = dtype()});
  return loc_ - scale_ * (sign(u) * log1p(-abs(u)));
}

Tensor Laplace::log_prob(const Tensor& value) const {
  return -log(2 * scale_) - abs(detail::value_in(dtype(), "Laplace", value) - loc_) / scale_;
}

Tensor Laplace::entropy() const { return over_batch(log(2 * scale_) + 1); }
Tensor Laplace::mean() const { return over_batch(loc_); }
Tensor Laplace::variance() const { return over_batch(2 * square(scale_)); }
Tensor Laplace::stddev() const { return over_batch(std::numbers::sqrt2 * scale_); }

Tensor Laplace::cdf(const Tensor& value) const {
  const Tensor z = (detail::value_in(dtype(), "Laplace", value) - loc_) / scale_;
  const Tensor below = z < 0;
  return 0.5 * exp(where(below, z, 0)) - 0.5 * expm1(-where(below, 0, z));
}

Tensor Laplace::icdf(const Tensor& q) const {
  const Tensor share = detail::value_in(dtype(), "Laplace", q);
  const Tensor below = share < 0.5;
  return loc_ + scale_ * (log(where(below, 2 * share, 1)) - log1p(where(below, 0, 1 - 2 * share)));
}

Tensor Laplace::sample(const Shape& sample_shape, Random& random) const {
  const NoGrad no_grad;
  return rsample(sample_shape, random);
}

}  // namespace xtgrad::v1::distributions
