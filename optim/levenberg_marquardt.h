#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/parameter.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace optim {

// Fitting: the parameters p for which |r(p)|^2 / 2 is least, for residuals r, a tensor of any shape.
//
//   nn::Parameter a(tensor(500.0)), b(tensor(1e-4));
//   const auto residuals = [&] { return a * (1 - exp(-b * t)) - y; };
//   const optim::LeastSquaresFit fit = optim::levenberg_marquardt(std::vector{a.cell(), b.cell()},
//   residuals);

/// How a step's equations are solved, (J^T J + damping D^2) h = -J^T r with r's Jacobian J.
enum class LeastSquaresSolver {
  qr,        ///< of J, whose condition is not squared: the most exact
  cholesky,  ///< of J^T J: for many parameters and a sparse J
  /// Without J, whose products with vectors are sweeps each: for thousands of parameters.
  conjugate_gradients,
};

/// D, in whose units a step's length counts.
enum class StepScale {
  per_parameter,  ///< the largest norms so far of J's columns: a fit does not depend on the parameters' units
  /// The same for all parameters, as Levenberg has it: the largest of those norms in the beginning. For nets.
  uniform,
};

struct LevenbergMarquardtOptions {
  LeastSquaresSolver solver = LeastSquaresSolver::qr;
  /// Uniform in any case without J, which `conjugate_gradients` has by a `pattern` alone.
  StepScale scale = StepScale::per_parameter;
  /// In the beginning, in units of D^2. With 0 steps are Gauss and Newton's, until one does not lower the
  /// cost.
  double damping = 1e-3;
  std::int64_t max_iterations = 200;  ///< steps that are tried, at least 1
  /// Of `conjugate_gradients`, with J^T J in a step, at least 1. It solves to 1e-6 of J^T r; fewer products
  /// than that takes give a step nearer to the gradient's.
  std::int64_t max_products = 1000;
  // All are relative. Absent: 1e-10, 1e-10 and 1e-15, or 1e-5, 1e-5 and 1e-7 if a parameter is float32.
  std::optional<double> tolerance_grad = std::nullopt;  ///< of `LeastSquaresFit::gradient`
  std::optional<double> tolerance_step = std::nullopt;  ///< of |D h|, to |D p|
  /// Of what a step lowers the cost by, and promised to.
  std::optional<double> tolerance_cost = std::nullopt;
  /// Which parameters each residual depends on, int64 [residuals, k], if they are few: the elements of those
  /// that are not frozen, counted in the order of `parameters`; -1 for none. J then is k numbers a residual,
  /// and takes a product for each group of parameters of which no residual depends on two, not one for each
  /// parameter. Checked in the beginning.
  Tensor pattern = {};
};

/// Why a fit ended.
enum class LeastSquaresEnd {
  small_gradient,  ///< within tolerance_grad: residuals are 0, or no parameter changes their length
  small_step,      ///< within tolerance_step
  small_decrease,  ///< of the cost, within tolerance_cost
  no_decrease,     ///< the damping has grown beyond all bounds: the function is not that of its gradient
  max_iterations,
};

/// A step that was tried.
struct LeastSquaresTrial {
  double cost;     ///< where it leads; not finite where a residual is not
  double step;     ///< |D h|
  double damping;  ///< that it was made with
  bool is_taken;   ///< it lowered the cost by enough of what was promised; else it is as if it had not been
};

struct LeastSquaresFit {
  double cost;  ///< |r|^2 / 2 of the parameters found
  /// The largest |cosine| of an angle between r and a column of J, 0 in a minimum; of `conjugate_gradients`
  /// without `pattern` between r and J J^T r.
  double gradient;
  std::int64_t evaluations;  ///< calls of the residuals
  LeastSquaresEnd end;
  std::vector<LeastSquaresTrial> trials;

  [[nodiscard]] bool converged() const {
    return end != LeastSquaresEnd::no_decrease && end != LeastSquaresEnd::max_iterations;
  }
};

/// The method of Levenberg and Marquardt (Moré, "The Levenberg-Marquardt algorithm: implementation and
/// theory", 1978, for the scale and the conditions at the end; the damping as of Nielsen, "Damping parameter
/// in Marquardt's method", 1999: it follows how well J predicted what the step came to). The parameters are
/// left at the least cost found. A step to residuals that are not finite is not taken. For parameters that
/// are frozen nothing is done; all is computed in float64, but for the residuals.
///
/// Throws ValueError for options out of range, no parameters to change, residuals or a Jacobian that are not
/// finite at a point to go on from, or `pattern` that leave out a parameter; ShapeError or DtypeError for
/// `pattern` that do not fit; GraphError as `newton_step`. The parameters are then the best so far.
LeastSquaresFit levenberg_marquardt(std::span<const nn::ParameterRef> parameters,
                                    const Callable<Tensor()>& residuals,
                                    const LevenbergMarquardtOptions& options = {});

/// The covariance [n, n] of the n parameters that are not frozen, joined, where they fit m residuals of
/// independent errors of one size: |r|^2 / (m - n) (J^T J)^-1. The roots of its diagonal are their standard
/// errors. Throws ValueError unless there are more residuals than parameters, ConvergenceError if J has not
/// full rank.
[[nodiscard]] Tensor fit_covariance(std::span<const nn::ParameterRef> parameters,
                                    const Callable<Tensor()>& residuals);

}}}  // namespace xtgrad::v1::optim
