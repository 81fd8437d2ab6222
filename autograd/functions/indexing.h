// Elements that indices name.
#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// out[i, j, ...] = x[index[i, j, ...] at `axis`, else the same place]: `index` is int64 or int32, of x's
/// rank, and no larger than x in the other dimensions. Throws ValueError for an index out of range.
[[nodiscard]] Tensor gather(const Tensor& x, std::int64_t axis, const Tensor& index);
/// `x` with `source` added at the places that gather would have read; the adjoint of gather.
[[nodiscard]] Tensor scatter_add(const Tensor& x, std::int64_t axis, const Tensor& index,
                                 const Tensor& source);
/// The entries of x along an axis that `index` [n], int64 or int32, names, in its order: rows of a table, for
/// one. Throws ValueError for an index out of range.
[[nodiscard]] Tensor index_select(const Tensor& x, std::int64_t axis, const Tensor& index);
/// `x` with the entries of `source` added to those that index_select would have read; its adjoint.
[[nodiscard]] Tensor index_add(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source);

/// The elements of x, in row-major order, at the places that `index`, int64 or int32 of any shape, names; of
/// the index's shape. Throws ValueError for an index out of range.
[[nodiscard]] Tensor take(const Tensor& x, const Tensor& index);
/// As gather, but x and the index, of one rank, broadcast outside of the axis, as in NumPy's take_along_axis.
[[nodiscard]] Tensor take_along_axis(const Tensor& x, std::int64_t axis, const Tensor& index);

}}  // namespace xtgrad::v1
