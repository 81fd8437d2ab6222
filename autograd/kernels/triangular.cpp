#include "xtgrad/autograd/kernels/triangular.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/gemm.h"
#include "xtgrad/autograd/kernels/matrix_batch.h"

namespace xtgrad::inline v1::detail {
namespace {

template <class T>
void require_diagonal(const Array& a) {
  const std::int64_t n = a.shape.back();
  const T* x = a.data<T>();
  for (std::int64_t i = 0; i < batch_size(a.shape); ++i) {
    for (std::int64_t d = 0; d < n; ++d) {
      if (x[(i * n + d) * n + d] != 0) continue;
      throw ConvergenceError(fmt::format("solve_triangular: {} is singular: element [{}, {}] is 0",
                                         matrix_name(a.shape, i), d, d));
    }
  }
}

/// Rows that are solved for at a time: the rest is products, which are three times as fast as BLAS's solver.
constexpr std::int64_t block_rows = 48;
/// Of right-hand sides, from which on products are worth their copies.
constexpr std::int64_t least_columns = 24;

/// A part of a [n, n] without gaps.
template <class T>
void copy_part(const T* a, std::int64_t n, std::int64_t row, std::int64_t column, std::int64_t rows,
               std::int64_t columns, T* to) {
  for (std::int64_t r = 0; r < rows; ++r) {
    const T* from = a + (row + r) * n + column;
    std::copy(from, from + columns, to + r * columns);
  }
}

/// As lapack::trsm, block after block: from each, what the blocks before it contribute is taken away first.
template <class T>
void solve_by_blocks(const lapack::Triangle& triangle, std::int64_t n, std::int64_t k, const T* a, T* x) {
  const bool is_downward = triangle.upper == triangle.transpose;
  Scratch<T> panel(static_cast<std::size_t>(block_rows * n));
  Scratch<T> product(static_cast<std::size_t>(block_rows * k));
  const std::int64_t blocks = (n + block_rows - 1) / block_rows;
  for (std::int64_t at = 0; at < blocks; ++at) {
    const std::int64_t begin = (is_downward ? at : blocks - 1 - at) * block_rows;
    const std::int64_t rows = std::min(block_rows, n - begin);
    const std::int64_t first = is_downward ? 0 : begin + rows;  // of the rows that are known
    const std::int64_t known = is_downward ? begin : n - first;
    T* block = x + begin * k;
    if (known > 0) {
      if (triangle.transpose) {
        copy_part(a, n, first, begin, known, rows, panel.data());
      } else {
        copy_part(a, n, begin, first, rows, known, panel.data());
      }
      gemm({.m = rows, .n = k, .k = known, .transpose_a = triangle.transpose}, panel.data(), x + first * k,
           product.data());
      for (std::int64_t i = 0; i < rows * k; ++i) block[i] -= product.data()[i];
    }
    copy_part(a, n, begin, begin, rows, rows, panel.data());
    lapack::trsm(triangle, rows, k, panel.data(), block);
  }
}

}  // namespace

void solve_triangular(const lapack::Triangle& triangle, const Array& a, Array& x) {
  const std::int64_t n = a.shape.back();
  const std::int64_t k = x.shape.back();
  lapack::check_countable("solve_triangular", {n, k});
  visit_floating(a.dtype, [&](auto zero) {
    using T = decltype(zero);
    if (!triangle.unit_diagonal) require_diagonal<T>(a);
    if (x.numel() == 0) return;
    const Scratch<std::int64_t> of_a = broadcast_matrices(x.shape, a.shape);
    T* to = x.mutable_data<T>();
    for (const std::int64_t i : of_a) {
      const T* matrix = a.data<T>() + i * n * n;
      if (n > 2 * block_rows && k >= least_columns) {
        solve_by_blocks(triangle, n, k, matrix, to);
      } else {
        lapack::trsm(triangle, n, k, matrix, to);
      }
      to += n * k;
    }
  });
}

}  // namespace xtgrad::v1::detail
