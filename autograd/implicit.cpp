#include "xtgrad/autograd/implicit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/custom_vjp_as.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1 {
namespace {

using Tensors = std::span<const Tensor>;

/// An equation F(x, theta) = 0, of which rules are made.
struct Equation {
  const char* function;  // what the user called
  EquationFunction f;
  LinearSolver linear_solver;
};
using EquationRef = std::shared_ptr<const Equation>;

void check_like(const char* function, std::string_view what, const Tensor& given, const Tensor& x) {
  if (given.shape() != x.shape()) {
    throw ShapeError(fmt::format("{}: {} has shape {}, x has {}", function, what, to_string(given.shape()),
                                 to_string(x.shape())));
  }
  if (given.dtype() != x.dtype()) {
    throw DtypeError(
        fmt::format("{}: {} is {}, x is {}", function, what, to_string(given.dtype()), to_string(x.dtype())));
  }
}

Pullback in_x(const Equation& equation, const Tensor& x, Tensors theta) {
  return vjp([&](const Tensor& at) { return equation.f(at, theta); }, x);
}

/// The w for which A w = b, or A^T w = b, where A is dF/dx at (x, theta); not differentiable.
Tensor solve_at(const Equation& equation, bool transposed, const Tensor& x, Tensors theta, const Tensor& b) {
  const Pullback pull = in_x(equation, x, theta);
  const LinearMap transpose = [&](const Tensor& v) { return pull(v); };
  const auto solve = [&](const LinearMap& map) {
    if (equation.linear_solver) return equation.linear_solver(map, b);
    constexpr std::int64_t most_dense = 512;
    return b.numel() <= most_dense ? solve_dense(map, b) : gmres()(map, b);
  };
  try {
    if (transposed) return solve(transpose);
    // A^T is linear, so what pulls back along it is A, wherever it is taken.
    const Pullback push = vjp([&](const Tensor& v) { return pull(v); }, zeros_like(b));
    return solve([&](const Tensor& v) { return push(v); });
  } catch (Error& error) {
    error.add_context(equation.function);
    throw;
  }
}

/// The gradient of -<left, A right> in x and theta, where A is dF/dx.
std::vector<Tensor> of_the_matrix(const Equation& equation, Tensors x_and_theta, const Tensor& left,
                                  const Tensor& right) {
  const auto product = [&](Tensors at) {
    return std::vector<Tensor>{in_x(equation, at[0], at.subspan(1))(left)};  // A^T left
  };
  const Tensor minus_right = -right;
  return vjp(product, x_and_theta)(std::span(&minus_right, 1));
}

/// As `solve_at`, a function of x, theta and b. Its rule is a solution of the other kind: with u from
/// A^T u = h, where h is the cotangent of w, b gets u, and A gets -u w^T; so derivatives of every order
/// follow.
Tensor solve_linear(const EquationRef& equation, bool transposed, std::vector<Tensor> x_and_theta,
                    const Tensor& b) {
  std::vector<Tensor> inputs = std::move(x_and_theta);
  inputs.push_back(b);
  const auto solve = [equation, transposed](Tensors in) {
    return solve_at(*equation, transposed, in[0], in.subspan(1, in.size() - 2), in.back());
  };
  const VjpRule rule = [equation, transposed](Tensors in, const Tensor& w, const Tensor& h) {
    const Tensors point = in.first(in.size() - 1);
    const Tensor u = solve_linear(equation, !transposed, {point.begin(), point.end()}, h);
    std::vector<Tensor> gradients =
        transposed ? of_the_matrix(*equation, point, w, u) : of_the_matrix(*equation, point, u, w);
    gradients.push_back(u);
    return gradients;
  };
  return detail::custom_vjp_as(equation->function, solve, rule, inputs);
}

/// What the two functions share: `find` gives x for the parameters.
Tensor root_of(const EquationRef& equation, const RootSolver& find, Tensors theta) {
  const auto solve = [&](Tensors constants) {
    const Tensor x = find(constants);
    if (!x.defined())
      throw GraphError(fmt::format("{}: the solver returned an empty handle", equation->function));
    if (!is_floating(x.dtype())) {
      throw DtypeError(fmt::format("{}: x must be float32 or float64: the solver returned {}",
                                   equation->function, to_string(x.dtype())));
    }
    // Here, where tensors that it must not use are refused.
    const Tensor residual = equation->f(x, constants);
    if (!residual.defined()) {
      throw GraphError(fmt::format("{}: the equation returned an empty handle", equation->function));
    }
    check_like(equation->function, "the equation's value", residual, x);
    return x;
  };
  const VjpRule rule = [equation](Tensors in, const Tensor& output, const Tensor& g) {
    const Tensor x = is_recording() ? output : output.detach();
    std::vector<Tensor> point{x};
    point.insert(point.end(), in.begin(), in.end());
    const Tensor w = -solve_linear(equation, true, std::move(point), g);
    return vjp([&](Tensors at) { return std::vector<Tensor>{equation->f(x, at)}; }, in)(std::span(&w, 1));
  };
  return detail::custom_vjp_as(equation->function, solve, rule, theta);
}

double largest(const Tensor& x) { return amax(abs(x)).item(); }

/// The change that is allowed by default, for each dtype.
struct UsualTolerance {
  double operator()(float) const { return 1e-6; }
  double operator()(double) const { return 1e-12; }
};

/// x = f(x), from x on.
Tensor iterate(const EquationFunction& f, Tensor x, Tensors theta, const FixedPointOptions& options) {
  const double tolerance = options.tolerance.value_or(detail::visit_floating(x.dtype(), UsualTolerance{}));
  double change = 0;
  double allowed = 0;
  for (std::int64_t i = 0; i < options.max_iterations; ++i) {
    const Tensor next = f(x, theta);
    if (!next.defined()) throw GraphError("fixed_point: the function returned an empty handle");
    check_like("fixed_point", "f(x)", next, x);
    if (next.numel() == 0) return next;
    change = largest(next - x);
    allowed = tolerance * std::max(1.0, largest(next));
    x = next;
    if (!std::isfinite(change)) {
      throw ConvergenceError(fmt::format("fixed_point: x is no longer finite after {} iterations", i + 1));
    }
    if (change <= allowed) return x;
  }
  throw ConvergenceError(
      fmt::format("fixed_point: did not converge: iteration {} changed x by {:.3g}, the tolerance is {:.3g}; "
                  "start nearer, allow more iterations, or damp f",
                  options.max_iterations, change, allowed));
}

void check_options(const FixedPointOptions& options) {
  if (options.tolerance && !(*options.tolerance > 0)) {
    throw ValueError(fmt::format("fixed_point: the tolerance must be positive: got {}", *options.tolerance));
  }
  if (options.max_iterations < 1) {
    throw ValueError(
        fmt::format("fixed_point: max_iterations must be at least 1: got {}", options.max_iterations));
  }
}

EquationFunction of_many(const UnaryEquationFunction& f) {
  if (!f) return {};
  return [f](const Tensor& x, Tensors theta) { return f(x, theta[0]); };
}

}  // namespace

Tensor implicit_root(const EquationFunction& equation, const RootSolver& solver,
                     std::span<const Tensor> theta, const ImplicitOptions& options) {
  if (!equation || !solver) {
    throw ValueError("implicit_root: needs an equation and a solver, got an empty function");
  }
  return root_of(std::make_shared<const Equation>(Equation{"implicit_root", equation, options.linear_solver}),
                 solver, theta);
}

Tensor implicit_root(const UnaryEquationFunction& equation, const UnaryTensorFunction& solver,
                     const Tensor& theta, const ImplicitOptions& options) {
  const RootSolver of_one = [&solver](Tensors in) { return solver(in[0]); };
  return implicit_root(of_many(equation), solver ? of_one : RootSolver(), std::span(&theta, 1), options);
}

Tensor fixed_point(const EquationFunction& f, const Tensor& x0, std::span<const Tensor> theta,
                   const FixedPointOptions& options) {
  if (!f) throw ValueError("fixed_point: needs a function, got an empty function");
  check_options(options);
  if (!is_floating(x0.dtype())) {
    throw DtypeError(
        fmt::format("fixed_point: x0 must be float32 or float64: got {}", to_string(x0.dtype())));
  }
  const auto residual = [f](const Tensor& x, Tensors at) { return x - f(x, at); };
  const RootSolver solver = [&](Tensors constants) { return iterate(f, x0.detach(), constants, options); };
  return root_of(std::make_shared<const Equation>(Equation{"fixed_point", residual, options.linear_solver}),
                 solver, theta);
}

Tensor fixed_point(const UnaryEquationFunction& f, const Tensor& x0, const Tensor& theta,
                   const FixedPointOptions& options) {
  return fixed_point(of_many(f), x0, std::span(&theta, 1), options);
}

}  // namespace xtgrad::v1
