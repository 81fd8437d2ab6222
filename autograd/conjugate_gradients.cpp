#include "xtgrad/autograd/conjugate_gradients.h"

#include <fmt/format.h>

#include <cmath>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/linear_solver_parts.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1 {
namespace {

void check(const ConjugateGradientsOptions& options) {
  if (options.tolerance && !(*options.tolerance > 0 && std::isfinite(*options.tolerance))) {
    throw ValueError(fmt::format("conjugate_gradients: tolerance must be positive and finite: got {}",
                                 *options.tolerance));
  }
  if (options.max_iterations < 1) {
    throw ValueError(fmt::format("conjugate_gradients: max_iterations must be at least 1: got {}",
                                 options.max_iterations));
  }
}

}  // namespace

ConjugateGradientsResult run_conjugate_gradients(const LinearMap& map, const Tensor& b,
                                                 const ConjugateGradientsOptions& options) {
  check(options);
  detail::check_function("run_conjugate_gradients", static_cast<bool>(map));
  detail::check_floating("conjugate_gradients", b);
  const NoGrad no_grad;
  Tensor residual = b.detach();
  Tensor direction = residual;
  double square = detail::dot(residual, residual);
  const double usual = detail::usual_tolerance(b.dtype());
  const double wanted = options.tolerance.value_or(usual) * std::sqrt(square);
  ConjugateGradientsResult result{zeros_like(residual), std::sqrt(square), 0, false, false};
  // Not "residual_norm <= wanted": a NaN ends it, too.
  while (result.residual_norm > wanted && result.iterations < options.max_iterations) {
    const Tensor image = map(direction);
    detail::check_like("conjugate_gradients", image, direction);
    ++result.iterations;
    const double curvature = detail::dot(direction, image);
    if (!(curvature > 0)) {
      result.is_indefinite = curvature <= 0;
      break;
    }
    const double step = square / curvature;
    result.x = result.x + direction * step;
    residual = residual - image * step;
    const double next = detail::dot(residual, residual);
    direction = residual + direction * (next / square);
    square = next;
    result.residual_norm = std::sqrt(square);
  }
  result.converged = result.residual_norm <= wanted;
  return result;
}

LinearSolver conjugate_gradients(const ConjugateGradientsOptions& options) {
  check(options);
  return [options](const LinearMap& map, const Tensor& b) {
    detail::check_function("conjugate_gradients", static_cast<bool>(map));
    const ConjugateGradientsResult result = run_conjugate_gradients(map, b, options);
    if (result.converged) return result.x;
    if (result.is_indefinite) {
      throw ConvergenceError(fmt::format(
          "conjugate_gradients: the map is not positive definite: found in iteration {}", result.iterations));
    }
    throw ConvergenceError(
        fmt::format("conjugate_gradients: did not converge: after {} iterations the residual is {:.3g}",
                    result.iterations, result.residual_norm));
  };
}

}  // namespace xtgrad::v1
