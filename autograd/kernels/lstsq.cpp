#include "xtgrad/autograd/kernels/lstsq.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <xtensor-blas/xlinalg.hpp>
#include <xtensor/xtensor.hpp>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/blas_turn.h"

namespace xtgrad::inline v1::detail {

std::int64_t lstsq(std::span<const double> a, std::span<const double> b, std::int64_t m, std::int64_t n,
                   std::int64_t k, std::span<double> x) {
  constexpr auto largest = static_cast<std::int64_t>(std::numeric_limits<xt::blas_index_t>::max());
  if (std::max({m, n, k}) > largest) {
    throw ShapeError(
        fmt::format("lstsq: sizes {}, {} and {} are more than LAPACK counts, which is {}", m, n, k, largest));
  }
  // gelsd writes over both, and leaves the solution, which may be longer, where the right sides were.
  using Matrix = xt::xtensor<double, 2, xt::layout_type::column_major>;
  const auto size = [](std::int64_t i) { return static_cast<std::size_t>(i); };
  Matrix matrix = Matrix::from_shape({size(m), size(n)});
  Matrix sides = Matrix::from_shape({size(std::max(m, n)), size(k)});
  sides.fill(0);
  for (std::size_t i = 0; i < size(m); ++i) {
    for (std::size_t j = 0; j < size(n); ++j) matrix(i, j) = a[i * size(n) + j];
    for (std::size_t j = 0; j < size(k); ++j) sides(i, j) = b[i * size(k) + j];
  }
  auto singular_values =
      xt::xtensor<double, 1, xt::layout_type::column_major>::from_shape({size(std::min(m, n))});
  // What rounding leaves of a direction that is none, in a matrix that was computed (NumPy's tolerance).
  const double tolerance = static_cast<double>(std::max(m, n)) * std::numeric_limits<double>::epsilon();
  xt::blas_index_t rank = 0;
  int info = 0;
  {
    const BlasTurn turn;
    info = xt::lapack::gelsd(matrix, sides, singular_values, rank, tolerance);
  }
  if (info != 0) {
    throw ConvergenceError(fmt::format(
        "lstsq: the singular values of a {}x{} matrix were not found: LAPACK's gelsd gives {}", m, n, info));
  }
  for (std::size_t i = 0; i < size(n); ++i) {
    for (std::size_t j = 0; j < size(k); ++j) x[i * size(k) + j] = sides(i, j);
  }
  return rank;
}

}  // namespace xtgrad::v1::detail
