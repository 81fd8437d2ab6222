#pragma once

#include <cstdint>

#include "xtgrad/autograd/core/array.h"

namespace xtgrad::inline v1::detail {

// Matrix products, the only users of BLAS. Work is cut into panels by its sizes alone, and each panel is one
// call of a single-threaded BLAS, so the bits do not depend on the number of threads. Panels run side by side
// where the BLAS at hand allows calls to overlap, which a serial OpenBLAS does not; the calls are then taken
// in turns, whatever threads they come from. A program's own calls of such a BLAS are its own care.

struct GemmOptions {
  std::int64_t m = 0;        // rows of the result
  std::int64_t n = 0;        // columns of the result
  std::int64_t k = 0;        // terms of each sum
  bool transpose_a = false;  // a is stored as [k, m]
  bool transpose_b = false;  // b is stored as [n, k]
  double beta = 0;           // factor of what c holds; at 0, c is not read
};

/// c = a b + beta c for matrices [m, k], [k, n] and [m, n], row-major and without gaps; T is float or double.
/// Throws ShapeError for sizes that BLAS cannot count.
template <class T>
void gemm(const GemmOptions& options, const T* a, const T* b, T* c);

/// As gemm, for each matrix of `out` [..., m, n]: the leading dimensions of `a` and `b` broadcast to its own.
/// All are of one floating dtype. A b that all rows of an untransposed `a` share makes one large product.
void batched_gemm(const GemmOptions& options, const Array& a, const Array& b, Array& out);

}  // namespace xtgrad::v1::detail
