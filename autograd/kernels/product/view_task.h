#pragma once

#include <cstdint>

#include "xtgrad/autograd/kernels/product/task.h"

namespace xtgrad::inline v1::detail {

/// Neighbouring columns of the views: `first`, first + 1, and so on.
struct ViewPiece {
  std::int64_t first = 0;
  std::int64_t count = 0;
};

/// c = a b for matrices [m, k], [k, n] and [m, n], with a right one that is never stored: element (p, j) is
/// base[rows[p] + column j], and the columns are those of the pieces, in their order. a lies as in a
/// ProductTask, and the bits are those of that product.
template <class T>
struct ViewTask {
  std::int64_t m = 0, n = 0, k = 0;
  const T* a = nullptr;
  std::int64_t a_row = 0, a_column = 0;
  const T* base = nullptr;
  const std::int64_t* rows = nullptr;  // [k]
  const ViewPiece* pieces = nullptr;   // n columns in all
  std::int64_t piece_count = 0;
  T* c = nullptr;
  std::int64_t c_row = 0;
  /// Null for views that are read where they lie: in one piece, with elements of any value behind it, of
  /// which there are view_slack. Else view_scratch elements, on a boundary of 64 bytes.
  T* scratch = nullptr;
};

inline constexpr std::int64_t view_slack = 128;

/// A task's computation for one set of instructions; compiled as products are.
struct ViewKernels {
  void (*float32)(const ViewTask<float>&);
  void (*float64)(const ViewTask<double>&);
};

/// Elements of `scratch`, for any of them.
[[nodiscard]] inline std::int64_t view_scratch(std::int64_t n, std::int64_t k) {
  constexpr std::int64_t widest = 64;
  const std::int64_t columns = n < product_columns ? (n + widest - 1) / widest * widest : product_columns;
  return columns * (k < product_depth ? k : product_depth) + view_slack;
}

}  // namespace xtgrad::v1::detail
