// Shapes: the same elements in another order or place.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

// Shape. Elements stay in row-major order. No operation returns its argument: where nothing is to be done the
// result has the same elements, which cost nothing, and is a tensor of its own, whose name and derivatives
// are not the argument's.
/// The same elements in a tensor of its own, with the same derivatives; `detach` is without.
[[nodiscard]] Tensor alias(const Tensor& x);
/// The same elements in another shape, of which one size may be -1: the rest decides it.
[[nodiscard]] Tensor reshape(const Tensor& x, const Dims& sizes);
/// Dimension i of the result is dimension `order[i]` of x.
[[nodiscard]] Tensor permute(const Tensor& x, const Dims& order);
/// Swaps two dimensions.
[[nodiscard]] Tensor transpose(const Tensor& x, std::int64_t dim0 = -2, std::int64_t dim1 = -1);
/// Joins the dimensions from `start` on into one; flatten(x, 1) keeps the batch.
[[nodiscard]] Tensor flatten(const Tensor& x, std::int64_t start = 0);
/// x without the axes, each of which has size 1; without all such axes unless some are named.
[[nodiscard]] Tensor squeeze(const Tensor& x, const Axes& axes = {});
/// x with new axes of size 1 at these places of the result.
[[nodiscard]] Tensor unsqueeze(const Tensor& x, const Dims& axes);
/// x with its axes `source` at the places `destination`, and the others in their order around them.
[[nodiscard]] Tensor movedim(const Tensor& x, const Dims& source, const Dims& destination);
/// x repeated along the dimensions that it has not, or that are 1, by NumPy's rules.
[[nodiscard]] Tensor broadcast_to(const Tensor& x, const Shape& shape);
/// The adjoint of broadcast_to: sums the dimensions that broadcasting would have stretched.
[[nodiscard]] Tensor sum_to(const Tensor& x, const Shape& shape);

/// Joins tensors along an existing axis.
[[nodiscard]] Tensor concat(std::span<const Tensor> tensors, std::int64_t axis = 0);
[[nodiscard]] Tensor concat(std::initializer_list<Tensor> tensors, std::int64_t axis = 0);
/// Joins tensors of one shape along a new axis.
[[nodiscard]] Tensor stack(std::span<const Tensor> tensors, std::int64_t axis = 0);
[[nodiscard]] Tensor stack(std::initializer_list<Tensor> tensors, std::int64_t axis = 0);

/// x cut along an axis into pieces of `size`, the last of which may be smaller. Backward costs what the
/// pieces that are used cost, and one copy of x.
[[nodiscard]] std::vector<Tensor> split(const Tensor& x, std::int64_t size, std::int64_t axis = 0);
/// The same into pieces of the given sizes, which must add up to the axis.
[[nodiscard]] std::vector<Tensor> split(const Tensor& x, std::span<const std::int64_t> sizes,
                                        std::int64_t axis = 0);
[[nodiscard]] std::vector<Tensor> split(const Tensor& x, std::initializer_list<std::int64_t> sizes,
                                        std::int64_t axis = 0);
/// x cut along an axis into at most `count` pieces of one size, ceil(size / count); the last may be smaller.
[[nodiscard]] std::vector<Tensor> chunk(const Tensor& x, std::int64_t count, std::int64_t axis = 0);
/// x cut along an axis into its slices, without that axis: for a [2, 3] and axis 0 two of [3].
[[nodiscard]] std::vector<Tensor> unbind(const Tensor& x, std::int64_t axis = 0);

}}  // namespace xtgrad::v1
