#pragma once

#include <cstdint>

#include "xtgrad/autograd/core/op_id.h"
#include "xtgrad/autograd/core/primitive.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::detail {

// What operations on matrices [..., m, n] check, and the pieces that their rules are made of.

/// Throws DtypeError or ShapeError, in the operation's name, unless x is floating and has rows and columns.
void check_matrices(OpId op, const Spec& x);
/// The same, and as many rows as columns.
void check_square(OpId op, const Spec& x);

inline std::int64_t rows_of(const Shape& x) { return x[x.rank() - 2]; }
/// All dimensions but the last `own`.
Shape batch_shape(const Shape& x, std::size_t own = 2);
/// Those, and one or two more.
Shape with_sizes(Shape batch, std::int64_t n);
Shape with_sizes(Shape batch, std::int64_t m, std::int64_t n);

/// For equations a x = b: what check_square does of a, and b has as many rows. Returns x's shape.
Shape check_equations(OpId op, const Spec& a, const Spec& b);
/// Copies b to x, which it broadcasts to.
void copy_broadcast(const Array& b, Array& x);
/// f(b) for a matrix b; of a vector [n] the result of its column, again as a vector.
template <class F>
Tensor of_column(const Tensor& b, const F& f);

/// x'.
Tensor transposed(const Tensor& x);
/// a b', and a' b.
Tensor times_transposed(const Tensor& a, const Tensor& b);
Tensor transposed_times(const Tensor& a, const Tensor& b);
/// (x + x')/2.
Tensor symmetric_part(const Tensor& x);
/// Columns of x [..., m, n], or its rows, each times its element of w [..., n] or [..., m].
Tensor scale_columns(const Tensor& x, const Tensor& w);
Tensor scale_rows(const Tensor& x, const Tensor& w);
/// A factor [...] of each matrix as [..., 1, 1].
Tensor as_factor(const Tensor& w);
/// The diagonals w [..., n] as matrices [..., n, n].
Tensor diagonal_matrices(const Tensor& w);

/// bool [n, n]: true where the column minus the row is at most, or exactly, `offset`.
Tensor lower_mask(std::int64_t m, std::int64_t n, std::int64_t offset = 0);
Tensor diagonal_mask(std::int64_t n);
/// x with zeros above its diagonal number `offset`, or below.
Tensor lower_part(const Tensor& x, std::int64_t offset = 0);
Tensor upper_part(const Tensor& x, std::int64_t offset = 0);

/// Rows or columns [start, stop) of x.
Tensor row_range(const Tensor& x, std::int64_t start, std::int64_t stop);
Tensor column_range(const Tensor& x, std::int64_t start, std::int64_t stop);

/// The sum of those that there are; an empty handle for none.
Tensor sum_of_defined(const Tensor& a, const Tensor& b);

/// The gradient of the first input where nothing depends on it, or where it is empty.
void set_zeros(VjpContext& context);

Tensor column_of(const Tensor& b);
Tensor without_column(const Tensor& x);

template <class F>
Tensor of_column(const Tensor& b, const F& f) {
  return b.rank() == 1 ? without_column(f(column_of(b))) : f(b);
}

}  // namespace xtgrad::v1::detail
