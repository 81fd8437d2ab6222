#pragma once

#include <cstdint>

#include "xtgrad/autograd/kernels/long_sum.h"

namespace xtgrad::inline v1::detail {

// Matrix products in which one operand is never stored: its rows are views, at given distances from one
// address, of a buffer in which they overlap. A convolution is such a product, its rows being the shifted
// copies of a padded image that the kernel's elements meet; see conv2d_parts.h. Instantiated for float and
// double.

/// Length of a row: a number of elements rounded up to whole SIMD registers. Rows are read and written to
/// this length.
template <class T>
[[nodiscard]] std::int64_t whole_lanes(std::int64_t n);

/// The left matrix [m, k] of `multiply_rows` in the order in which its kernel reads it, as many elements as
/// before: blocks of rows, and in each block column by column. Element (i, p) comes from
/// a[i * row_stride + a_offsets[p]].
template <class T>
void pack_left(std::int64_t m, std::int64_t k, const T* a, std::int64_t row_stride,
               const std::int64_t* a_offsets, T* packed);

template <class T>
struct RowProduct {
  std::int64_t m = 0;                     // rows of the result
  std::int64_t n = 0;                     // columns, in whole lanes
  std::int64_t k = 0;                     // terms of each sum
  const T* packed = nullptr;              // [m, k] from pack_left
  const T* base = nullptr;                // row p of the right matrix begins at base + offsets[p]
  const std::int64_t* offsets = nullptr;  // [k]
  T* c = nullptr;                         // [m, n]
};
/// c[i, j] = sum over p of a[i, p] * (base + offsets[p])[j].
template <class T>
void multiply_rows(const RowProduct<T>& product);

template <class T>
struct RowDots {
  std::int64_t m = 0;
  std::int64_t n = 0;  // length of the rows, in whole lanes
  std::int64_t k = 0;
  std::int64_t count = 0;   // of such pairs of matrices, whose products are added up
  const T* a = nullptr;     // [count, m, n]
  const T* base = nullptr;  // row p of right matrix q begins at base + q * base_stride + offsets[p]
  std::int64_t base_stride = 0;
  const std::int64_t* offsets = nullptr;  // [k]
  const T* mask =
      nullptr;  // [n]: where 0, the right matrices' elements count as 0, be they NaN; null: nowhere
  LongSum<T>* c = nullptr;  // [m, k], added to
};
/// c[i, p] += sum over q and j of a[q, i, j] * (base + q * base_stride + offsets[p])[j]. No element of T gets
/// more than a few dozen terms, however long the rows are.
template <class T>
void add_row_dots(const RowDots<T>& dots);

/// Columns n for which `add_row_dots` keeps its left rows in the first-level cache, over all of `count`.
template <class T>
[[nodiscard]] std::int64_t row_dots_columns();

}  // namespace xtgrad::v1::detail
