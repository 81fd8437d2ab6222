#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/memory/pool_allocator.h"

namespace xtgrad::inline v1::detail {

// Arrays [..., m, n], float32 or float64, as batches of matrices, for kernels of linear algebra (triangular.h
// to matrix_exp.h). Shapes have been checked before. What a matrix is refused for is thrown in its function's
// name, and names the matrix; results of those before it may have been written by then. A matrix with a NaN
// or an infinity has NaN all over in its results, for LAPACK says something else of those in each version.

template <class T>
using Scratch = std::vector<T, PoolAllocator<T>>;
template <class T>
Scratch<T> scratch_of(std::int64_t n) {
  return Scratch<T>(static_cast<std::size_t>(n));
}

/// Number of matrices, the product of all dimensions but the last `own`.
std::int64_t batch_size(const Shape& shape, std::size_t own = 2);

/// For messages: "the matrix", or "the matrix [1, 3] of the batch" for number `index` of several.
std::string matrix_name(const Shape& shape, std::int64_t index);

/// For each matrix of `out`, the number of the one that broadcasting puts there from an operand of shape
/// `x`.
Scratch<std::int64_t> broadcast_matrices(const Shape& out, const Shape& x);

/// False if one of the elements is NaN or infinite.
template <class T>
bool all_finite(const T* x, std::int64_t n) {
  constexpr std::int64_t lanes = 16;
  T sums[lanes] = {};  // 0, or NaN from the first of them on
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    for (std::int64_t lane = 0; lane < lanes; ++lane) sums[lane] += x[i + lane] - x[i + lane];
  }
  T sum = 0;
  for (; i < n; ++i) sum += x[i] - x[i];
  for (const T one : sums) sum += one;
  return sum == 0;
}

template <class T>
void fill_with_nan(T* x, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) x[i] = std::numeric_limits<T>::quiet_NaN();
}

/// [m, n], row-major, to [n, m].
template <class T>
void transpose_into(std::int64_t m, std::int64_t n, const T* x, T* y) {
  constexpr std::int64_t block = 16;  // rows of it stay in the cache while columns are written
  for (std::int64_t first = 0; first < m; first += block) {
    const std::int64_t last = first + block < m ? first + block : m;
    for (std::int64_t j = 0; j < n; ++j) {
      for (std::int64_t i = first; i < last; ++i) y[j * m + i] = x[i * n + j];
    }
  }
}

}  // namespace xtgrad::v1::detail
