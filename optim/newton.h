#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/parameter.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace optim {

// Second-order optimisation without a matrix: a step solves a system of linear equations by conjugate
// gradients, whose matrix is known by products, each of two sweeps.
//
//   const auto residuals = [&] { return model(x) - y; };
//   for (int i = 0; i < 15; ++i) optim::gauss_newton_step(model.parameters(), residuals, {.damping = 0.3});

struct NewtonOptions {
  double lr = 1;       ///< of the solution, so much is taken
  double damping = 0;  ///< added to the matrix's diagonal, as Levenberg and Marquardt do; at least 0
  /// Of the residual's norm, relative to the gradient's; 1e-10 if all parameters are float64, else 1e-5.
  std::optional<double> tolerance = std::nullopt;
  /// Products with the matrix, at most. Fewer than it takes give a step between the gradient's and Newton's.
  std::int64_t max_iterations = 1000;
};

struct NewtonStep {
  double loss;              ///< before the step
  double grad_norm;         ///< before the step
  std::int64_t iterations;  ///< products with the matrix
  bool converged;           ///< the equations were solved to the tolerance
  /// The curvature along some direction was not positive: the step was made of the directions before it, or
  /// is the gradient where it was the first.
  bool is_indefinite;
};

/// A step of Newton's method: p -= lr (H + damping I)^-1 g, with the gradient g of the loss and its Hessian H
/// (by `hvp`'s products). Far from a minimum a step may be long and lead uphill: nothing limits it. `loss` is
/// called once, and computes a loss of one element from the parameters. For parameters that are frozen
/// nothing is done. Throws ValueError for options out of range, no parameters to change or a loss that is not
/// finite, ShapeError for a loss of several elements, GraphError where it reaches a parameter that nobody
/// looks after, as an optimizer's step does; nothing has changed then.
NewtonStep newton_step(std::span<const nn::ParameterRef> parameters, const Callable<Tensor()>& loss,
                       const NewtonOptions& options = {});

/// A step of the Gauss-Newton method for the loss |r|^2 / 2 of residuals r, a tensor of any shape:
/// p -= lr (J^T J + damping I)^-1 J^T r, with r's Jacobian J. `residuals` is called once. The matrix has no
/// negative curvature, whatever r is. Throws as `newton_step`.
NewtonStep gauss_newton_step(std::span<const nn::ParameterRef> parameters,
                             const Callable<Tensor()>& residuals, const NewtonOptions& options = {});

}}}  // namespace xtgrad::v1::optim
