#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/parameter.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace optim {

/// How much of the last direction stays in the next one, of the gradients g and, before, g'.
enum class ConjugateFormula {
  /// max(0, <g, g - g'> / <g', g'>), which begins anew by itself where the last move came to little (Polak
  /// and
  /// Ribière, 1969, with Powell's bound).
  polak_ribiere,
  /// <g, g> / <g', g'> (Fletcher and Reeves, 1964); anew where |<g, g'>| is above 0.2 <g, g> (Powell, 1977).
  fletcher_reeves,
};

struct NonlinearCGOptions {
  ConjugateFormula formula = ConjugateFormula::polak_ribiere;
  std::int64_t max_iterations = 1000;  ///< at least 1
  double tolerance_grad = 1e-7;        ///< of the gradient's largest element
  /// Of the parameters' largest change, and of the loss's.
  double tolerance_change = 1e-15;
};

/// Why conjugate gradients ended.
enum class NonlinearCGEnd {
  small_gradient,  ///< within tolerance_grad
  small_change,    ///< of parameters or loss, within tolerance_change
  no_decrease,     ///< the line search found no lower loss down the gradient
  max_iterations,
};

struct NonlinearCGResult {
  double loss;      ///< of the parameters found
  double gradient;  ///< the largest element there
  std::int64_t evaluations;
  NonlinearCGEnd end;
  std::vector<double> losses;  ///< after each iteration

  [[nodiscard]] std::int64_t iterations() const { return static_cast<std::int64_t>(losses.size()); }
  [[nodiscard]] bool converged() const {
    return end == NonlinearCGEnd::small_gradient || end == NonlinearCGEnd::small_change;
  }
};

/// Minimises a loss that stays the same from one evaluation to the next by nonlinear conjugate gradients:
/// each direction is the last one's share less the gradient, and a search along it meets the strong Wolfe
/// conditions, with a curvature of 0.1 (Nocedal and Wright, "Numerical Optimization", 2006, chapter 5). It
/// keeps three vectors of the parameters' size, where L-BFGS keeps some of each iteration, and takes more of
/// these. `loss` computes one element from the parameters; frozen ones stay as they are.
///
///   optim::nonlinear_cg(model.parameters(), [&] { return nn::mse_loss(model(x), y); });
///
/// Throws ValueError for options out of range, no parameters to change, or a loss or gradient that is not
/// finite at a point to go on from; ShapeError for a loss of several elements; GraphError as `LBFGS::step`.
/// The parameters are then those before the iteration under way.
NonlinearCGResult nonlinear_cg(std::span<const nn::ParameterRef> parameters, const Callable<Tensor()>& loss,
                               const NonlinearCGOptions& options = {});

}}}  // namespace xtgrad::v1::optim
