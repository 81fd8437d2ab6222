#include "xtgrad/autograd/kernels/levels/sparse_rows.h"

#include <algorithm>

#include "xtgrad/autograd/kernels/broadcast.h"
#include "xtgrad/autograd/kernels/levels/scratch.h"
#include "xtgrad/autograd/kernels/long_sum.h"
#include "xtgrad/autograd/kernels/parallel.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {
namespace {

/// A row of the matrix, with weights in the elements' dtype.
template <class T>
struct Row {
  std::int64_t count;
  const std::int32_t* columns;
  const T* weights;
};

/// The product with a vector: one element.
template <class T>
T weigh(const Row<T>& row, const T* x) {
  if (row.count == 2) return row.weights[0] * x[row.columns[0]] + row.weights[1] * x[row.columns[1]];
  if (row.count > few_terms) {
    LongSum<T> sum;
    for (std::int64_t k = 0; k < row.count; ++k) sum.add(row.weights[k] * x[row.columns[k]]);
    return sum.value();
  }
  if (row.count == 0) return T(0);
  T sum = row.weights[0] * x[row.columns[0]];
  for (std::int64_t k = 1; k < row.count; ++k) sum += row.weights[k] * x[row.columns[k]];
  return sum;
}

/// The same with `n` vectors side by side.
template <class T>
void weigh_long(const Row<T>& row, const T* x, std::int64_t n, T* __restrict to) {
  ScratchVector<LongSum<T>> sums(static_cast<std::size_t>(n));
  for (std::int64_t k = 0; k < row.count; ++k) {
    const T* from = x + row.columns[k] * n;
    for (std::int64_t i = 0; i < n; ++i) sums[static_cast<std::size_t>(i)].add(row.weights[k] * from[i]);
  }
  for (std::int64_t i = 0; i < n; ++i) to[i] = sums[static_cast<std::size_t>(i)].value();
}

template <class T>
void weigh_side_by_side(const Row<T>& row, const T* x, std::int64_t n, T* __restrict to) {
  if (row.count > few_terms) return weigh_long(row, x, n, to);
  if (row.count == 0) {
    std::fill_n(to, n, T(0));
    return;
  }
  const auto from = [&](std::int64_t k) { return x + row.columns[k] * n; };
  const T *first = from(0), w = row.weights[0];
  if (row.count == 1 && w == T(1)) {
    std::copy_n(first, n, to);
    return;
  }
  if (row.count == 1) {
    for (std::int64_t i = 0; i < n; ++i) to[i] = w * first[i];
    return;
  }
  const T *second = from(1), v = row.weights[1];
  for (std::int64_t i = 0; i < n; ++i) to[i] = w * first[i] + v * second[i];
  for (std::int64_t k = 2; k < row.count; ++k) {
    const T *next = from(k), u = row.weights[k];
    for (std::int64_t i = 0; i < n; ++i) to[i] += u * next[i];
  }
}

template <class T>
void weigh_typed(const SparseRows& matrix, const T* x, const AxisView& view, T* out) {
  ScratchVector<T> weights(matrix.weights.size());
  for (std::size_t k = 0; k < weights.size(); ++k) weights[k] = static_cast<T>(matrix.weights[k]);
  const std::int64_t rows = matrix.rows(), total = view.outer * rows, n = view.inner;
  const std::int64_t per_tile = std::max<std::int64_t>(1, tile_elements / n);
  for_each_tile((total + per_tile - 1) / per_tile, [&](std::int64_t tile) {
    const std::int64_t last = std::min(total, (tile + 1) * per_tile);
    for (std::int64_t at = tile * per_tile; at < last;) {
      const std::int64_t outer = at / rows, end = std::min(last, (outer + 1) * rows);
      const T* from = x + outer * view.axis * n;
      for (; at < end; ++at) {
        const auto j = static_cast<std::size_t>(at - outer * rows);
        const std::int64_t begin = matrix.begin[j];
        const Row<T> row{matrix.begin[j + 1] - begin, matrix.columns.data() + begin, weights.data() + begin};
        if (n == 1) {
          out[at] = weigh(row, from);
        } else {
          weigh_side_by_side(row, from, n, out + at * n);
        }
      }
    }
  });
}

}  // namespace

void weigh_rows(const SparseRows& matrix, const Array& x, const AxisView& view, Array& out) {
  if (out.numel() == 0) return;
  visit_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    weigh_typed(matrix, x.data<T>(), view, out.mutable_data<T>());
  });
}

}  // namespace xtgrad::v1::detail
