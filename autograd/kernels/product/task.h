#pragma once

#include <cstdint>

namespace xtgrad::inline v1::detail {

/// c = a b for matrices [m, k], [k, n] and [m, n] that lie at strides of their own, in elements: (i, p) of a
/// at a[i * a_row + p * a_column], and so on. One of b's strides is 1; columns of c are neighbours.
template <class T>
struct ProductTask {
  std::int64_t m = 0, n = 0, k = 0;
  const T* a = nullptr;
  std::int64_t a_row = 0, a_column = 0;
  const T* b = nullptr;
  std::int64_t b_row = 0, b_column = 0;
  T* c = nullptr;
  std::int64_t c_row = 0;
  T* scratch = nullptr;  // as many as product_scratch, on a boundary of 64 bytes
};

/// Terms that are summed in order before the sum is added to the result. Part of every result's bits, so the
/// same for all instruction sets.
inline constexpr std::int64_t product_depth = 384;
/// Columns that are worked on together; of no consequence for bits, as are all other sizes.
inline constexpr std::int64_t product_columns = 1024;
/// A b whose rows lie together is read where it is by so few rows of a, and where it has so few rows itself.
inline constexpr std::int64_t product_rows_in_place = 12;
inline constexpr std::int64_t product_terms_in_place = 32;

/// A task's computation for one instruction set. Each is compiled by itself, from micro.h.
struct ProductKernels {
  void (*float32)(const ProductTask<float>&);
  void (*float64)(const ProductTask<double>&);
};

/// Elements of `scratch`, for any of them. None where b is read where it lies.
template <class T>
[[nodiscard]] std::int64_t product_scratch(const ProductTask<T>& task) {
  constexpr std::int64_t widest = 64;
  if (task.b_column == 1 ? task.m <= product_rows_in_place || task.k <= product_terms_in_place : task.m <= 2)
    return 0;
  const std::int64_t columns =
      task.n < product_columns ? (task.n + widest - 1) / widest * widest : product_columns;
  return columns * (task.k < product_depth ? task.k : product_depth);
}

}  // namespace xtgrad::v1::detail
