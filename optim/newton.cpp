#include "xtgrad/optim/newton.h"

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/conjugate_gradients.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/linear_solver_parts.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/orphans.h"
#include "xtgrad/optim/checks.h"
#include "xtgrad/optim/residual_map.h"

namespace xtgrad::inline v1::optim {
namespace {

using detail::FlatParameters;

void check(std::string_view function, const NewtonOptions& options) {
  detail::check_not_negative(function, "lr", options.lr);
  detail::check_not_negative(function, "damping", options.damping);
}

Tensor recorded(const Callable<Tensor()>& f) {
  const EnableGrad enabled;
  return f();
}

/// The sum of <a, b> over the pairs that are there.
Tensor inner_product(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  Tensor total;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!a[i].defined()) continue;
    const Tensor term = sum(a[i] * b[i]).to(float64);
    total = total.defined() ? total + term : term;
  }
  return total;
}

NewtonStep solve_and_move(FlatParameters& parameters, const Tensor& gradient, double loss,
                          const LinearMap& product, const NewtonOptions& options) {
  const LinearMap damped = [&](const Tensor& v) { return product(v) + options.damping * v; };
  const ConjugateGradientsResult solved = run_conjugate_gradients(
      damped, gradient,
      {.tolerance = options.tolerance.value_or(xtgrad::detail::usual_tolerance(parameters.narrowest_dtype())),
       .max_iterations = options.max_iterations});
  const NoGrad no_grad;
  const bool is_gradient = solved.is_indefinite && solved.iterations == 1;
  parameters.set_x(parameters.x() - options.lr * (is_gradient ? gradient : solved.x));
  return {loss, std::sqrt(sum(square(gradient)).item()), solved.iterations, solved.converged,
          solved.is_indefinite};
}

void check_loss(std::string_view function, double loss) {
  if (!std::isfinite(loss))
    throw ValueError(fmt::format("{}: the loss must be finite: got {}", function, loss));
}

}  // namespace

NewtonStep newton_step(std::span<const nn::ParameterRef> parameters, const Callable<Tensor()>& loss,
                       const NewtonOptions& options) {
  xtgrad::detail::check_function("newton_step", static_cast<bool>(loss));
  check("newton_step", options);
  FlatParameters flat("newton_step", parameters);
  const Tensor value = recorded(loss);
  if (value.numel() != 1) {
    throw ShapeError(
        fmt::format("newton_step: the loss must have one element: got {}", to_string(value.shape())));
  }
  check_loss("newton_step", reshape(value, {}).item());
  nn::detail::Orphans::check_reached("newton_step", value, flat.cells());
  const std::vector<Tensor> gradients =
      grad(std::span(&value, 1), flat.leaves(), {.create_graph = true, .allow_unused = true});
  const auto product = [&](const Tensor& v) {
    const EnableGrad enabled;
    const Tensor slope = inner_product(gradients, flat.parts(v));
    // Of a loss that is linear nothing is left to differentiate.
    if (!slope.defined() || !slope.requires_grad()) return zeros_like(v);
    return flat.flat(grad(std::span(&slope, 1), flat.leaves(), {.keep_graph = true, .allow_unused = true}));
  };
  return solve_and_move(flat, flat.flat(gradients), reshape(value, {}).item(), product, options);
}

NewtonStep gauss_newton_step(std::span<const nn::ParameterRef> parameters,
                             const Callable<Tensor()>& residuals, const NewtonOptions& options) {
  xtgrad::detail::check_function("gauss_newton_step", static_cast<bool>(residuals));
  check("gauss_newton_step", options);
  FlatParameters flat("gauss_newton_step", parameters);
  detail::ResidualMap map("gauss_newton_step", flat, residuals);
  check_loss("gauss_newton_step", map.cost());
  const auto product = [&](const Tensor& v) { return map.pull(map.push(v)); };
  return solve_and_move(flat, map.pull(map.values()), map.cost(), product, options);
}

}  // namespace xtgrad::v1::optim
