#include "xtgrad/nn/regression_losses.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <string_view>

#include "xtgrad/autograd/core/number_parts.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/weighted.h"
#include "xtgrad/nn/loss_checks.h"

namespace xtgrad::inline v1::nn {
namespace {

namespace core = xtgrad::detail;

void check_positive(std::string_view loss, std::string_view option, double value) {
  if (value > 0 && std::isfinite(value)) return;
  throw ValueError(fmt::format("{}: {} must be positive and finite: got {}", loss, option, value));
}

/// d^2 / 2 up to |d| = delta, and its tangent beyond. With c = d cut off at delta this is c (d - c / 2),
/// which knows no |d|, whose own kink at 0 would make the second derivative there 0 instead of 1.
Tensor parabola_with_tangents(const Tensor& d, double delta) {
  const Tensor c = clamp(d, {.min = -delta, .max = delta});
  return c * (d - 0.5 * c);
}

/// The same divided by delta, which may be so small or so large that products with it leave the dtype's
/// range.
Tensor parabola_over_delta(const Tensor& d, double delta) {
  const Tensor share = clamp(d / delta, {.min = -1, .max = 1});
  return share * (d - 0.5 * (share * delta));
}

/// log(x + eps) of x not below 0. An eps that the dtype would take for 0 is a constant where x is 0, of which
/// the derivative is that of x / eps.
Tensor log_of_sum(const Tensor& x, double eps) {
  if (!core::is_below_normal(x.dtype(), eps)) return log(x + eps);
  const Tensor zero = x == 0;
  return where(zero, std::log(eps) + where(zero, x, 0) / eps, log(where(zero, 1, x)));
}

/// The two terms of a variance v in gaussian_nll_loss, log(v) + d^2 / v.
Tensor gaussian_terms(const Tensor& d, const Tensor& variance, double eps) {
  // By the deviation: d^2 may leave the range, as may d / v on the way to the derivative in v.
  const auto terms = [&d](const Tensor& v) { return log(v) + square(d / sqrt(v)); };
  if (!core::is_below_normal(variance.dtype(), eps)) return terms(maximum(variance, eps));
  // As an element eps would be 0: where it is the variance, it is a number. Elsewhere its quotient would be
  // infinite, and have a cotangent of 0.
  const Tensor low = variance <= eps;
  const Tensor part = where(low, d, 0);
  return where(low, std::log(eps) + part * (part / eps), terms(where(low, 1, variance)));
}

/// log y! for y > 1 by Stirling's formula, else 0.
Tensor log_factorial(const Tensor& y) {
  const Tensor small = y <= 1;
  const Tensor large = where(small, 2, y);  // 2 is harmless, and NaN is not small
  const Tensor approximation = large * log(large) - large + 0.5 * log(2 * std::numbers::pi * large);
  return where(small, 0, approximation);
}

}  // namespace

Tensor mse_loss(const Tensor& prediction, const Tensor& target, const MseLossOptions& options) {
  detail::check_alike("mse_loss", {{"prediction", prediction}, {"target", target}});
  const Tensor loss = detail::reduce(square(prediction - target), options.reduction);
  return options.half ? 0.5 * loss : loss;
}

Tensor l1_loss(const Tensor& prediction, const Tensor& target, const L1LossOptions& options) {
  detail::check_alike("l1_loss", {{"prediction", prediction}, {"target", target}});
  return detail::reduce(abs(prediction - target), options.reduction);
}

Tensor smooth_l1_loss(const Tensor& prediction, const Tensor& target, const SmoothL1LossOptions& options) {
  detail::check_alike("smooth_l1_loss", {{"prediction", prediction}, {"target", target}});
  if (!(options.beta >= 0 && std::isfinite(options.beta))) {
    throw ValueError(fmt::format("smooth_l1_loss: beta must be finite and at least 0: got {}", options.beta));
  }
  const Tensor d = prediction - target;
  if (options.beta == 0) return detail::reduce(abs(d), options.reduction);
  // Products with a beta near 1 stay in range, and one division is left to the end.
  if (options.beta >= 1e-3 && options.beta <= 1)
    return detail::reduce(parabola_with_tangents(d, options.beta), options.reduction) / options.beta;
  return detail::reduce(parabola_over_delta(d, options.beta), options.reduction);
}

Tensor huber_loss(const Tensor& prediction, const Tensor& target, const HuberLossOptions& options) {
  detail::check_alike("huber_loss", {{"prediction", prediction}, {"target", target}});
  check_positive("huber_loss", "delta", options.delta);
  const Tensor d = prediction - target;
  if (core::is_below_normal(d.dtype(), options.delta)) {
    const Tensor size = abs(d);  // beside delta times it delta^2 is nothing
    const Tensor near = size <= options.delta;
    return detail::reduce(where(near, 0.5 * square(where(near, d, 0)), size * options.delta),
                          options.reduction);
  }
  return detail::reduce(parabola_with_tangents(d, options.delta), options.reduction);
}

Tensor poisson_nll_loss(const Tensor& prediction, const Tensor& target,
                        const PoissonNllLossOptions& options) {
  detail::check_alike("poisson_nll_loss", {{"prediction", prediction}, {"target", target}});
  check_positive("poisson_nll_loss", "eps", options.eps);
  // The first term outgrows the second, so an infinite prediction has no place in that.
  const Tensor endless = prediction == std::numeric_limits<double>::infinity();
  const Tensor finite = where(endless, 1, prediction);
  Tensor items = options.log_input
                     ? exp(prediction) - xtgrad::detail::weighted(target, finite)
                     : prediction - xtgrad::detail::weighted(target, log_of_sum(finite, options.eps));
  if (options.full) items = items + log_factorial(target);
  return detail::reduce(items, options.reduction);
}

Tensor gaussian_nll_loss(const Tensor& prediction, const Tensor& target, const Tensor& variance,
                         const GaussianNllLossOptions& options) {
  const detail::Operand operand{"prediction", prediction};
  const detail::Operand factor{"variance", variance};
  detail::check_operands("gaussian_nll_loss", {operand, {"target", target}, factor});
  detail::check_alike("gaussian_nll_loss", {operand, {"target", target}});
  detail::check_factor("gaussian_nll_loss", factor, operand);
  const Tensor checked =
      detail::checked_range("gaussian_nll_loss", factor, 0, std::numeric_limits<double>::infinity());
  check_positive("gaussian_nll_loss", "eps", options.eps);
  Tensor items = 0.5 * gaussian_terms(prediction - target, checked, options.eps);
  if (options.full) items = items + 0.5 * std::log(2 * std::numbers::pi);
  return detail::reduce(items, options.reduction);
}

}  // namespace xtgrad::v1::nn
