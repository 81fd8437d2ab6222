#pragma once

#include <cstdint>

#include "xtgrad/autograd/kernels/levels/level.h"
#include "xtgrad/autograd/kernels/long_sum.h"

namespace xtgrad::inline v1::detail {

// Matrix products that sum over the rows' length, with a right operand that is never stored: its rows are
// views, at given distances from one address, of a buffer in which they overlap.

/// Length of a row: a number of elements rounded up to whole pieces of 64 bytes, which are whole SIMD
/// registers of any width. Rows are read to this length.
template <class T>
[[nodiscard]] constexpr std::int64_t whole_lanes(std::int64_t n) {
  constexpr auto piece = static_cast<std::int64_t>(64 / sizeof(T));
  return (n + piece - 1) / piece * piece;
}

template <class T>
struct RowDots {
  std::int64_t m = 0;
  std::int64_t n = 0;  // length of the rows, in whole lanes
  std::int64_t k = 0;
  std::int64_t count = 0;   // of such pairs of matrices, whose products are added up
  std::int64_t terms = 0;   // of the whole sum, of which this is a part: what its accuracy is measured by
  const T* a = nullptr;     // [count, m, n]
  const T* base = nullptr;  // row p of right matrix q begins at base + q * base_stride + offsets[p]
  std::int64_t base_stride = 0;
  const std::int64_t* offsets = nullptr;  // [k]
  const T* mask =
      nullptr;  // [n]: where 0, the right matrices' elements count as 0, be they NaN; null: nowhere
  LongSum<T>* c = nullptr;  // [m, k], added to
};

XTGRAD_KERNELS_BEGIN

/// c[i, p] += sum over q and j of a[q, i, j] * (base + q * base_stride + offsets[p])[j]. The sum loses at
/// most 4 + log2(terms) roundings, that of its value and those of the products among them.
void add_row_dots_float32(const RowDots<float>& dots);
void add_row_dots_float64(const RowDots<double>& dots);

/// Bytes of a row n for which these keep their left rows in the first-level cache, over all of `count`.
[[nodiscard]] std::int64_t row_dots_bytes();

/// Whether there is neither an infinity nor NaN among n elements, which are whole lanes.
[[nodiscard]] bool all_finite_float32(const float* values, std::int64_t n);
[[nodiscard]] bool all_finite_float64(const double* values, std::int64_t n);

XTGRAD_KERNELS_END
XTGRAD_KERNEL(add_row_dots_float32)
XTGRAD_KERNEL(add_row_dots_float64)
XTGRAD_KERNEL(row_dots_bytes)
XTGRAD_KERNEL(all_finite_float32)
XTGRAD_KERNEL(all_finite_float64)

}  // namespace xtgrad::v1::detail
