// To be merged into shape.h, slicing.h and indexing.h.
#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/functions/slicing.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// x without the axes, each of which has size 1; without all such axes if none is named.
[[nodiscard]] Tensor squeeze(const Tensor& x, const Dims& axes = {});
/// x with new axes of size 1 at these places of the result.
[[nodiscard]] Tensor unsqueeze(const Tensor& x, const Dims& axes);
/// x with its axes `source` at the places `destination`, and the others in their order around them.
[[nodiscard]] Tensor movedim(const Tensor& x, const Dims& source, const Dims& destination);

/// One entry of x along an axis, without that axis; a negative index counts from the end.
[[nodiscard]] Tensor select(const Tensor& x, std::int64_t axis, std::int64_t index);
/// `x` with `source`, of the slice's shape, in place of what slice would have read.
[[nodiscard]] Tensor slice_scatter(const Tensor& x, const SliceOptions& options, const Tensor& source);
/// `x` with `source` in place of what select would have read.
[[nodiscard]] Tensor select_scatter(const Tensor& x, std::int64_t axis, std::int64_t index,
                                    const Tensor& source);

struct UnfoldOptions {
  std::int64_t axis = -1;
  std::int64_t size = 1;  ///< of a window
  std::int64_t step = 1;  ///< from one window to the next
};
/// All windows along an axis that lie in x: the axis counts windows, and a new last axis has the elements of
/// each.
[[nodiscard]] Tensor unfold(const Tensor& x, const UnfoldOptions& options);

/// The elements of x, in row-major order, at the places that `index`, int64 or int32 of any shape, names; of
/// the index's shape. Throws ValueError for an index out of range.
[[nodiscard]] Tensor take(const Tensor& x, const Tensor& index);
/// As gather, but x and the index, of one rank, broadcast outside of the axis, as in NumPy's take_along_axis.
[[nodiscard]] Tensor take_along_axis(const Tensor& x, std::int64_t axis, const Tensor& index);

}}  // namespace xtgrad::v1
