#include "xtgrad/autograd/ops/matrices.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/levels/copy_strided.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1::detail {
namespace {

std::int64_t signed_rank(const Tensor& x) { return static_cast<std::int64_t>(x.rank()); }

/// Column and row numbers, int64 [1, n] and [m, 1].
Tensor column_numbers(std::int64_t n) { return reshaped(arange(n), Shape{1, n}); }
Tensor row_numbers(std::int64_t m) { return reshaped(arange(m), Shape{m, 1}); }

}  // namespace

void check_matrices(OpId op, const Spec& x) {
  check_floating(op, x);
  if (x.shape.rank() >= 2) return;
  throw ShapeError(
      fmt::format("{}: needs matrices [..., m, n]: a is {}", function_name(op), to_string(x.shape)));
}

void check_square(OpId op, const Spec& x) {
  check_matrices(op, x);
  if (rows_of(x.shape) == x.shape.back()) return;
  throw ShapeError(
      fmt::format("{}: needs square matrices [..., n, n]: a is {}", function_name(op), to_string(x.shape)));
}

Shape batch_shape(const Shape& x, std::size_t own) { return Shape(std::span(x.begin(), x.rank() - own)); }

Shape with_sizes(Shape batch, std::int64_t n) {
  batch.push_back(n);
  return batch;
}

Shape with_sizes(Shape batch, std::int64_t m, std::int64_t n) {
  batch.push_back(m);
  batch.push_back(n);
  return batch;
}

Shape check_equations(OpId op, const Spec& a, const Spec& b) {
  check_same_dtype(op, a, b);
  check_square(op, a);
  if (b.shape.rank() < 2 || rows_of(b.shape) != a.shape.back()) {
    throw ShapeError(fmt::format("{}: b must have as many rows as a: a is {}, b is {}", function_name(op),
                                 to_string(a.shape), to_string(b.shape)));
  }
  const Shape batch = broadcast_shapes(function_name(op), batch_shape(a.shape), batch_shape(b.shape));
  return with_sizes(batch, a.shape.back(), b.shape.back());
}

void copy_broadcast(const Array& b, Array& x) {
  const std::size_t lead = x.shape.rank() - b.shape.rank();
  StridedMove move;
  std::array<std::int64_t, Shape::max_rank> from{};
  std::array<std::int64_t, Shape::max_rank> to{};
  std::int64_t from_stride = 1;
  std::int64_t to_stride = 1;
  for (std::size_t d = x.shape.rank(); d-- > 0;) {
    const std::int64_t size = d < lead ? 1 : b.shape[d - lead];
    from[d] = size == 1 ? 0 : from_stride;
    to[d] = to_stride;
    from_stride *= size;
    to_stride *= x.shape[d];
  }
  for (std::size_t d = 0; d < x.shape.rank(); ++d) move.add_dimension(x.shape[d], from[d], to[d]);
  copy_strided(move, b, x);
}

Tensor transposed(const Tensor& x) {
  Dims order = x.shape();  // for its length
  for (std::size_t d = 0; d < order.size(); ++d) order[d] = static_cast<std::int64_t>(d);
  std::swap(order[order.size() - 1], order[order.size() - 2]);
  return permuted(x, order);
}

Tensor times_transposed(const Tensor& a, const Tensor& b) { return matmul(a, b, {.transpose_b = true}); }
Tensor transposed_times(const Tensor& a, const Tensor& b) { return matmul(a, b, {.transpose_a = true}); }
Tensor symmetric_part(const Tensor& x) { return (x + transposed(x)) * 0.5; }

Tensor scale_columns(const Tensor& x, const Tensor& w) {
  return x * reshaped(w, with_sizes(batch_shape(w.shape(), 1), 1, w.shape().back()));
}
Tensor scale_rows(const Tensor& x, const Tensor& w) { return x * reshaped(w, with_sizes(w.shape(), 1)); }
Tensor as_factor(const Tensor& w) { return reshaped(w, with_sizes(w.shape(), 1, 1)); }

Tensor diagonal_matrices(const Tensor& w) {
  return where(diagonal_mask(w.shape().back()), reshaped(w, with_sizes(w.shape(), 1)), 0);
}

Tensor lower_mask(std::int64_t m, std::int64_t n, std::int64_t offset) {
  return less_equal(column_numbers(n), row_numbers(m) + offset);
}
Tensor diagonal_mask(std::int64_t n) { return equal(column_numbers(n), row_numbers(n)); }

Tensor lower_part(const Tensor& x, std::int64_t offset) {
  return where(lower_mask(rows_of(x.shape()), x.shape().back(), offset), x, 0);
}
Tensor upper_part(const Tensor& x, std::int64_t offset) {
  return where(lower_mask(rows_of(x.shape()), x.shape().back(), offset - 1), 0, x);
}

Tensor row_range(const Tensor& x, std::int64_t start, std::int64_t stop) {
  return slice(x, {.axis = signed_rank(x) - 2, .start = start, .stop = stop});
}
Tensor column_range(const Tensor& x, std::int64_t start, std::int64_t stop) {
  return slice(x, {.axis = signed_rank(x) - 1, .start = start, .stop = stop});
}

Tensor sum_of_defined(const Tensor& a, const Tensor& b) {
  if (!a.defined()) return b;
  return b.defined() ? a + b : a;
}

void set_zeros(VjpContext& context) { context.set(0, zeros(context.shape(0), {.dtype = context.dtype(0)})); }

Tensor column_of(const Tensor& b) { return reshaped(b, with_sizes(b.shape(), 1)); }
Tensor without_column(const Tensor& x) { return reshaped(x, batch_shape(x.shape(), 1)); }

}  // namespace xtgrad::v1::detail
