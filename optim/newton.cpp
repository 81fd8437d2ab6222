#include "xtgrad/optim/newton.h"

#include <fmt/format.h>

#include <algorithm>
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
#include "xtgrad/optim/flat.h"

namespace xtgrad::inline v1::optim {
namespace {

/// The parameters that are to change, as one long vector of doubles.
class FlatParameters {
 public:
  FlatParameters(std::string_view function, std::span<const nn::ParameterRef> parameters) {
    for (const nn::ParameterRef& parameter : parameters) {
      if (parameter == nullptr)
        throw ValueError(fmt::format("{}: an empty ref among the parameters", function));
      parameter->adopt();
      if (!parameter->requires_grad()) continue;
      if (std::find(cells_.begin(), cells_.end(), parameter) != cells_.end()) continue;
      cells_.push_back(parameter);
      leaves_.push_back(parameter->tensor());
    }
    if (cells_.empty()) throw ValueError(fmt::format("{}: there are no parameters to change", function));
  }

  [[nodiscard]] const std::vector<nn::ParameterRef>& cells() const { return cells_; }
  [[nodiscard]] const std::vector<Tensor>& leaves() const { return leaves_; }

  /// The least precise of the parameters' dtypes.
  [[nodiscard]] double usual_tolerance() const {
    double least = 0;
    for (const Tensor& leaf : leaves_) {
      least = std::max(least, xtgrad::detail::usual_tolerance(leaf.dtype()));
    }
    return least;
  }

  /// An empty handle stands for zeros.
  [[nodiscard]] Tensor flat(const std::vector<Tensor>& parts) const {
    std::vector<Tensor> pieces;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      pieces.push_back(parts[i].defined() ? parts[i].detach() : zeros_like(leaves_[i]));
    }
    return detail::join_flat(pieces, float64);
  }
  /// The other way round, in the parameters' shapes and dtypes.
  [[nodiscard]] std::vector<Tensor> parts(const Tensor& flat) const {
    return detail::split_flat(flat, leaves_);
  }

  void move_by(const Tensor& change) {
    const NoGrad no_grad;
    std::vector<Tensor> values = parts(change);
    for (std::size_t i = 0; i < cells_.size(); ++i) values[i] = leaves_[i].detach() + values[i];
    for (std::size_t i = 0; i < cells_.size(); ++i) cells_[i]->set_value(values[i]);
  }

 private:
  std::vector<nn::ParameterRef> cells_;
  std::vector<Tensor> leaves_;
};

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
  const ConjugateGradientsResult solved =
      run_conjugate_gradients(damped, gradient,
                              {.tolerance = options.tolerance.value_or(parameters.usual_tolerance()),
                               .max_iterations = options.max_iterations});
  const NoGrad no_grad;
  const bool is_gradient = solved.is_indefinite && solved.iterations == 1;
  parameters.move_by(-options.lr * (is_gradient ? gradient : solved.x));
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
  const Tensor r = recorded(residuals);
  const double loss = sum(square(r.detach().to(float64))).item() / 2;
  check_loss("gauss_newton_step", loss);
  nn::detail::Orphans::check_reached("gauss_newton_step", r, flat.cells());
  // J^T u is linear in u: its derivative in u, along v, is J v.
  const EnableGrad enabled;
  const Tensor u = zeros_like(r).set_requires_grad();
  const Tensor weighed = sum(r * u);
  const std::vector<Tensor> pulled =
      grad(std::span(&weighed, 1), flat.leaves(), {.create_graph = true, .allow_unused = true});
  const auto pull_back = [&](const Tensor& cotangent) {
    const Tensor total = sum(r * cotangent);
    return flat.flat(grad(std::span(&total, 1), flat.leaves(), {.keep_graph = true, .allow_unused = true}));
  };
  const auto product = [&](const Tensor& v) {
    const EnableGrad inside;  // of the solver's NoGrad
    const Tensor along = inner_product(pulled, flat.parts(v));
    if (!along.defined() || !along.requires_grad()) return zeros_like(v);
    return pull_back(grad(std::span(&along, 1), std::span(&u, 1), {.keep_graph = true})[0]);
  };
  const Tensor gradient = pull_back(r.detach());
  return solve_and_move(flat, gradient, loss, product, options);
}

}  // namespace xtgrad::v1::optim
