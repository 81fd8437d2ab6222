#pragma once

#include <cstdint>

#include "xtgrad/autograd/core/array.h"

namespace xtgrad::inline v1::detail {

// Matrix products, by kernels of our own for the instructions that the processor has (product/,
// instructions.h).
//
// An element is summed over k in order, by fused multiply-add where there is one, in runs of product_depth
// terms whose sums are added in order, 16 runs at most: longer sums are cut into halves, at a multiple of the
// run's length, whose sums are added. That is all that its bits depend on: not on the sizes of the result, on
// how the work is cut, on the number of threads, or on which of the instructions with fused multiply-add are
// used.

struct GemmOptions {
  std::int64_t m = 0;        // rows of the result
  std::int64_t n = 0;        // columns of the result
  std::int64_t k = 0;        // terms of each sum
  bool transpose_a = false;  // a is stored as [k, m]
  bool transpose_b = false;  // b is stored as [n, k]
};

/// c = a b for matrices [m, k], [k, n] and [m, n], row-major and without gaps; T is float or double.
template <class T>
void gemm(const GemmOptions& options, const T* a, const T* b, T* c);

/// As gemm, for each matrix of `out` [..., m, n]: the leading dimensions of `a` and `b` broadcast to its own.
/// All are of one floating dtype. A b that all rows of an untransposed `a` share makes one large product.
void batched_gemm(const GemmOptions& options, const Array& a, const Array& b, Array& out);

}  // namespace xtgrad::v1::detail
