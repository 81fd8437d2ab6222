#pragma once

#include <cstdint>
#include <optional>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/linear_solvers.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

struct ConjugateGradientsOptions {
  /// Of the residual's norm, relative to b's; by default 1e-10 for float64 and 1e-5 for float32.
  std::optional<double> tolerance = std::nullopt;
  /// Calls of the map, at most.
  std::int64_t max_iterations = 1000;
};

/// What conjugate gradients came to, with or without success.
struct ConjugateGradientsResult {
  Tensor x;
  double residual_norm;     ///< of b - map(x)
  std::int64_t iterations;  ///< calls of the map
  bool converged;           ///< the residual is within the tolerance
  /// A direction d was met with <d, map(d)> <= 0; x is what it was before.
  bool is_indefinite;
};

/// Solves map(x) = b for a map that is symmetric and positive definite (Hestenes and Stiefel, "Methods of
/// conjugate gradients for solving linear systems", 1952), beginning with 0. Each x minimises
/// <x, map(x)> / 2 - <b, x> over a space that grows by a dimension: it can be used wherever it ends. Nothing
/// is recorded. Throws ValueError for options out of range, DtypeError unless b is float32 or float64,
/// ShapeError or DtypeError if the map's results are not like its arguments.
[[nodiscard]] ConjugateGradientsResult run_conjugate_gradients(const LinearMap& map, const Tensor& b,
                                                               const ConjugateGradientsOptions& options = {});

/// A solver that throws ConvergenceError where the tolerance is not reached or the map is not positive
/// definite, naming which; for `implicit_root` and its like.
[[nodiscard]] LinearSolver conjugate_gradients(const ConjugateGradientsOptions& options = {});

}}  // namespace xtgrad::v1
