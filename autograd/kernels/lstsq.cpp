#include "xtgrad/autograd/kernels/lstsq.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <xtensor-blas/xlinalg.hpp>
#include <xtensor/xadapt.hpp>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/blas_turn.h"

namespace xtgrad::inline v1::detail {
namespace {

auto matrix(std::span<const double> elements, std::int64_t rows, std::int64_t columns) {
  const std::array<std::size_t, 2> shape{static_cast<std::size_t>(rows), static_cast<std::size_t>(columns)};
  return xt::adapt(elements.data(), elements.size(), xt::no_ownership(), shape);
}

}  // namespace

std::int64_t lstsq(std::span<const double> a, std::span<const double> b, std::int64_t m, std::int64_t n,
                   std::int64_t k, std::span<double> x) {
  constexpr auto largest = static_cast<std::int64_t>(std::numeric_limits<xt::blas_index_t>::max());
  if (std::max({m, n, k}) > largest) {
    throw ShapeError(
        fmt::format("lstsq: sizes {}, {} and {} are more than LAPACK counts, which is {}", m, n, k, largest));
  }
  const BlasTurn turn;
  const auto result = xt::linalg::lstsq(matrix(a, m, n), matrix(b, m, k));
  const auto& solution = std::get<0>(result);
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < k; ++j) x[static_cast<std::size_t>(i * k + j)] = solution(i, j);
  }
  return std::get<2>(result);
}

}  // namespace xtgrad::v1::detail
