#include "xtgrad/nn/regression_losses.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <string_view>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/loss_checks.h"
#include "xtgrad/nn/weighted.h"

namespace xtgrad::inline v1::nn {
namespace {

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
  return detail::reduce(parabola_with_tangents(d, options.beta), options.reduction) / options.beta;
}

Tensor huber_loss(const Tensor& prediction, const Tensor& target, const HuberLossOptions& options) {
  detail::check_alike("huber_loss", {{"prediction", prediction}, {"target", target}});
  check_positive("huber_loss", "delta", options.delta);
  return detail::reduce(parabola_with_tangents(prediction - target, options.delta), options.reduction);
}

Tensor poisson_nll_loss(const Tensor& prediction, const Tensor& target,
                        const PoissonNllLossOptions& options) {
  detail::check_alike("poisson_nll_loss", {{"prediction", prediction}, {"target", target}});
  check_positive("poisson_nll_loss", "eps", options.eps);
  // The first term outgrows the second, so an infinite prediction has no place in that.
  const Tensor endless = prediction == std::numeric_limits<double>::infinity();
  const Tensor finite = where(endless, 1, prediction);
  Tensor items = options.log_input ? exp(prediction) - detail::weighted(target, finite)
                                   : prediction - detail::weighted(target, log(finite + options.eps));
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
  detail::check_range("gaussian_nll_loss", factor, 0, std::numeric_limits<double>::infinity());
  check_positive("gaussian_nll_loss", "eps", options.eps);
  const Tensor v = maximum(variance, options.eps);
  Tensor items = 0.5 * (log(v) + square(prediction - target) / v);
  if (options.full) items = items + 0.5 * std::log(2 * std::numbers::pi);
  return detail::reduce(items, options.reduction);
}

}  // namespace xtgrad::v1::nn
