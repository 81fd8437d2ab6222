// Parts of a tensor along an axis, and zeros around it.
#pragma once

#include <cstdint>
#include <optional>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

struct SliceOptions {
  std::int64_t axis = 0;
  std::int64_t start = 0;                           ///< negative counts from the end
  std::optional<std::int64_t> stop = std::nullopt;  ///< exclusive; the end if absent
  std::int64_t step = 1;                            ///< positive
};
/// x[start:stop:step] along an axis, with Python's clipping of out-of-range ends.
[[nodiscard]] Tensor slice(const Tensor& x, const SliceOptions& options);

/// `x` with `source`, of the slice's shape, added at the places that slice would have read; the adjoint of
/// slice.
[[nodiscard]] Tensor slice_add(const Tensor& x, const SliceOptions& options, const Tensor& source);

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

struct PadOptions {
  std::int64_t axis = 0;
  std::int64_t low = 0;       ///< zeros before
  std::int64_t high = 0;      ///< zeros after
  std::int64_t interior = 0;  ///< zeros between neighbours
};
/// Zeros put in along an axis; the adjoint of slice.
[[nodiscard]] Tensor pad(const Tensor& x, const PadOptions& options);

}}  // namespace xtgrad::v1
