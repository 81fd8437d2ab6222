#include "xtgrad/nn/distributions/dirichlet.h"

#include <limits>

#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/functions/special.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/shape.h"
#include "xtgrad/autograd/parameter_draws.h"
#include "xtgrad/nn/distributions/parameters.h"

namespace xtgrad::inline v1::distributions {

namespace {

const Tensor& rows_of(const Tensor& concentration) {
  if (concentration.defined() && concentration.rank() == 0)
    throw ShapeError("Dirichlet: concentration must be [..., k], it is []");
  return concentration;
}

Tensor total(const Tensor& x) { return sum(x, {.axes = {-1}}); }

}  // namespace

Dirichlet::Dirichlet(const DirichletParameters& parameters)
    : DistributionBase(
          detail::without_last(
              detail::common_shape("Dirichlet", {{"concentration", rows_of(parameters.concentration)}}), 1),
          detail::last_of(parameters.concentration.shape(), 1), parameters.concentration.dtype()),
      concentration_(detail::checked_positive("Dirichlet", {"concentration", parameters.concentration})) {}

Tensor Dirichlet::rsample(const Shape& sample_shape, Random& random) const {
  const double least = xtgrad::detail::visit_floating(
      dtype(), [](auto zero) { return static_cast<double>(std::numeric_limits<decltype(zero)>::min()); });
  const Tensor alpha = xtgrad::detail::stretched_to(concentration_, extended(sample_shape));
  return maximum(softmax(standard_gamma(alpha, {.log_space = true}, random), -1), least);
}

Tensor Dirichlet::log_prob(const Tensor& value) const {
  const Tensor x = detail::value_in(dtype(), "Dirichlet", value);
  const Tensor negative = x < 0;
  const Tensor outside = any(negative, {.axes = {-1}}) | (abs(total(x) - 1) > 1e-4);
  return detail::outside_is_impossible(outside, total(xlogy(concentration_ - 1, where(negative, 1, x))) +
                                                    lgamma(total(concentration_)) -
                                                    total(lgamma(concentration_)));
}

Tensor Dirichlet::entropy() const {
  const Tensor& a = concentration_;
  const Tensor all = total(a);
  return total(lgamma(a)) - lgamma(all) + (all - static_cast<double>(a.shape().back())) * digamma(all) -
         total((a - 1) * digamma(a));
}

Tensor Dirichlet::mean() const {
  return concentration_ / sum(concentration_, {.axes = {-1}, .keepdim = true});
}

Tensor Dirichlet::variance() const {
  const Tensor all = sum(concentration_, {.axes = {-1}, .keepdim = true});
  const Tensor share = concentration_ / all;
  return share * ((all - concentration_) / all) / (all + 1);
}

Tensor Dirichlet::stddev() const { return sqrt(variance()); }

Tensor Dirichlet::sample(const Shape& sample_shape, Random& random) const {
  const NoGrad no_grad;
  return rsample(sample_shape, random);
}

}  // namespace xtgrad::v1::distributions
