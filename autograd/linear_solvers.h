#pragma once

#include <cstdint>
#include <optional>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

// Systems of linear equations whose matrix is known by what it does to a tensor.

/// A linear function whose results have its argument's shape and dtype.
using LinearMap = Callable<Tensor(const Tensor&)>;
/// Returns the x for which map(x) = b; nothing of it is recorded.
using LinearSolver = Callable<Tensor(const LinearMap& map, const Tensor& b)>;

/// By LU decomposition of the map's matrix, which takes a call for each element of b: for some hundreds of
/// unknowns. Throws ConvergenceError that names the pivot if the matrix is singular to the dtype's precision,
/// ShapeError or DtypeError if the map's results are not like its arguments, DtypeError unless b is float32
/// or float64.
[[nodiscard]] Tensor solve_dense(const LinearMap& map, const Tensor& b);

struct GmresOptions {
  /// Of the residual's norm, relative to b's; by default 1e-10 for float64 and 1e-5 for float32.
  std::optional<double> tolerance = std::nullopt;
  /// Vectors that are kept at a time.
  std::int64_t restart = 50;
  /// Calls of the map, at most.
  std::int64_t max_iterations = 1000;
};
/// A solver by restarted GMRES (Saad and Schultz, 1986), which only calls the map: for any number of
/// unknowns. It throws ConvergenceError with residual and count if the tolerance is not reached. Throws
/// ValueError for options out of range, DtypeError unless b is float32 or float64.
[[nodiscard]] LinearSolver gmres(const GmresOptions& options = {});

}}  // namespace xtgrad::v1
