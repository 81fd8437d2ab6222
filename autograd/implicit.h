#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/linear_solvers.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/autograd/transforms.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

// Functions that are defined by an equation. However the equation was solved, the derivative of the solution
// follows from the equation alone, by the implicit function theorem: nothing of the way to it is recorded.

/// A function of the unknown x and of parameters theta.
using EquationFunction = AnyCallable<Tensor(const Tensor& x, std::span<const Tensor> theta)>;
/// The same of a single parameter.
using UnaryEquationFunction = AnyCallable<Tensor(const Tensor& x, const Tensor& theta)>;

/// Finds the unknown for given parameters.
using RootSolver = AnyCallable<Tensor(std::span<const Tensor> theta)>;

struct ImplicitOptions {
  /// Solves the linear system of the derivative; by default `solve_dense` for at most 512 unknowns, and
  /// `gmres()` for more.
  LinearSolver linear_solver = {};
};

/// x = solver(theta), where F(x, theta) = 0 holds, as a differentiable function of theta: w solves
/// (dF/dx)^T w = g, and theta gets -(dF/dtheta)^T w, to any order. The solver runs once and may be anything,
/// such as Newton's method or a bisection; derivatives are as right as the equation is solved. Throws
/// ShapeError or DtypeError if F(x, theta) is not of x's shape and dtype, one equation for each unknown;
/// GraphError if F or the solver use a tensor that wants a gradient and is none of theta; in the backward,
/// ConvergenceError if dF/dx is singular. F is kept as long as the graph and called in the backward: what it
/// captures must live so long, so let it capture tensors by value.
///
///   // the square root, by Newton's method
///   Tensor root = implicit_root([](const Tensor& x, const Tensor& a) { return x * x - a; },
///                               [](const Tensor& a) {
///                                 Tensor x = a;
///                                 for (int i = 0; i < 50; ++i) x = (x + a / x) * 0.5;
///                                 return x;
///                               }, a);
[[nodiscard]] Tensor implicit_root(const EquationFunction& equation, const RootSolver& solver,
                                   std::span<const Tensor> theta, const ImplicitOptions& options = {});
[[nodiscard]] Tensor implicit_root(const UnaryEquationFunction& equation, const UnaryTensorFunction& solver,
                                   const Tensor& theta, const ImplicitOptions& options = {});

struct FixedPointOptions {
  /// Largest change of an element in the last iteration, relative to x's largest element or 1; by default
  /// 1e-12 for float64 and 1e-6 for float32.
  std::optional<double> tolerance = std::nullopt;
  std::int64_t max_iterations = 1000;
  /// As in ImplicitOptions.
  LinearSolver linear_solver = {};
};

/// The x for which f(x, theta) = x, by iteration from x0, as a differentiable function of theta, as
/// `implicit_root` is; x0 gets no gradient. Throws ConvergenceError with the last change and the count if the
/// tolerance is not reached, ValueError for options out of range, DtypeError unless x0 is float32 or float64.
///
///   Tensor x = fixed_point([](const Tensor& x, const Tensor& a) { return cos(x * a); }, zeros({3}), a);
[[nodiscard]] Tensor fixed_point(const EquationFunction& f, const Tensor& x0, std::span<const Tensor> theta,
                                 const FixedPointOptions& options = {});
[[nodiscard]] Tensor fixed_point(const UnaryEquationFunction& f, const Tensor& x0, const Tensor& theta,
                                 const FixedPointOptions& options = {});

}}  // namespace xtgrad::v1
