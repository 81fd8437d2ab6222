#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>

#include "xtgrad/autograd/core/batch.h"
#include "xtgrad/autograd/core/primitive.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::detail {

// What rules for batches (Primitive::batch) are made of. Each is one step of the same kernel, which meets an
// example's elements in the order of the example alone, between steps that move elements or name them anew.

/// Dimensions of an example.
inline std::size_t example_rank(const BatchInput& input) {
  return input.tensor.rank() - (input.is_batched ? 1 : 0);
}

/// An example's shape behind the size of the batch.
[[nodiscard]] Shape for_each_example(const Shape& example, std::int64_t size);

/// An operand that broadcasts: between its examples and their own dimensions there is room for those that
/// others of `rank` have.
[[nodiscard]] Tensor aligned(const BatchInput& input, std::size_t rank);
/// An operand that must be there for each example.
[[nodiscard]] Tensor repeated(const BatchInput& input, std::int64_t size);

/// [size, ..., n, ...] as [..., size * n, ...], n being an example's dimension `axis`.
[[nodiscard]] Tensor merged_into(const Tensor& x, std::size_t axis);
/// The inverse.
[[nodiscard]] Tensor parted_from(const Tensor& x, std::size_t axis, std::int64_t size);

// Rules as a whole. They return false, and have done nothing, where there is one dimension too many.

/// Of operands that broadcast, over all their dimensions or the leading ones.
bool batch_by_broadcasting(const Primitive& primitive, BatchContext& context);
/// Of operands whose leading dimensions are a batch already, the same for all.
bool batch_by_leading(const Primitive& primitive, BatchContext& context);
/// Of a primitive whose attributes count dimensions from the front, in all operands and outputs alike: those
/// named axis, axes, order, shifts and shape are an example's, and are made the batch's.
bool batch_along_axes(const Primitive& primitive, BatchContext& context);

/// In place of a dimension that examples are merged into: they stay in front.
inline constexpr std::size_t in_front = std::numeric_limits<std::size_t>::max();
/// Of a primitive to which examples are more of what its operands and outputs have along some dimension, one
/// for each of them.
bool batch_by_merging(const Primitive& primitive, BatchContext& context,
                      std::initializer_list<std::size_t> inputs, std::initializer_list<std::size_t> outputs);
/// The same along dimension 0 of all.
bool batch_by_joining(const Primitive& primitive, BatchContext& context);

/// What `batch_along_axes` runs.
[[nodiscard]] PrimitiveCopy with_moved_axes(const Primitive& primitive, std::int64_t size);

}  // namespace xtgrad::v1::detail
