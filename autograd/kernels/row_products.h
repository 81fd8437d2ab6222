#pragma once

#include <cstdint>

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

}  // namespace xtgrad::v1::detail
