// Elements put, or combined with what is there, at places that indices name; scatter_add is in indexing.h.
#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

// `index` is int64 or int32, of x's rank, no larger than x off the axis, and names places along it, as
// gather's does; `source` has its shape. They throw ValueError for an index out of range.
/// `x` with `source` in place of what gather would have read. Where several entries name one place the last
/// along the axis stays, and it alone gets a gradient.
[[nodiscard]] Tensor scatter(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source);
/// `x` times the entries of `source` that name the place. Derivatives of every order are exact where factors
/// are 0.
[[nodiscard]] Tensor scatter_mul(const Tensor& x, std::int64_t axis, const Tensor& index,
                                 const Tensor& source);
/// `x` with the largest of an element and the entries of `source` that name its place; NaN wins. The gradient
/// is split evenly among those that tie, x's own among them, as amax splits it.
[[nodiscard]] Tensor scatter_max(const Tensor& x, std::int64_t axis, const Tensor& index,
                                 const Tensor& source);
/// `x` with the smallest of an element and the entries of `source` that name its place; as scatter_max.
[[nodiscard]] Tensor scatter_min(const Tensor& x, std::int64_t axis, const Tensor& index,
                                 const Tensor& source);
/// `x` with the entries of `source` in place of those along an axis that index_select would have read:
/// `index` is [n], and `source` has x's shape but for n along the axis. The last of several stays, as in
/// scatter.
[[nodiscard]] Tensor index_copy(const Tensor& x, std::int64_t axis, const Tensor& index,
                                const Tensor& source);

}}  // namespace xtgrad::v1
