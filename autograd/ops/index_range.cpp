#include "xtgrad/autograd/ops/index_range.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <vector>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1::detail {
namespace {

[[noreturn]] void throw_out_of_range(OpId op, const Array& index, std::int64_t position,
                                     const IndexedAxis& indexed) {
  const std::int64_t value = index.data<std::int64_t>()[position];
  std::vector<std::int64_t> place(index.shape.rank());
  for (std::size_t d = place.size(); d-- > 0; position /= index.shape[d])
    place[d] = position % index.shape[d];
  throw ValueError(fmt::format("{}: the index is out of range: {} at [{}], but axis {} of {} has size {}",
                               to_string(op), value, fmt::join(place, ", "), indexed.axis, indexed.operand,
                               indexed.size));
}

}  // namespace

void check_index_range(OpId op, const Array& index, const IndexedAxis& indexed) {
  const auto* values = index.data<std::int64_t>();
  const std::int64_t n = index.numel();
  const auto in_range = [size = indexed.size](std::int64_t value) { return value >= 0 && value < size; };
  // The sign of `value` or that of `size - 1 - value` tells; arithmetic alone, which compilers turn into
  // SIMD.
  std::uint64_t signs = 0;
  const auto last = static_cast<std::uint64_t>(indexed.size) - 1;
  for (std::int64_t i = 0; i < n; ++i) {
    const auto value = static_cast<std::uint64_t>(values[i]);
    signs |= value | (last - value);
  }
  if (signs >> 63 == 0) return;
  for (std::int64_t i = 0; i < n; ++i) {
    if (!in_range(values[i])) throw_out_of_range(op, index, i, indexed);
  }
}

void check_index_shape(OpId op, const Shape& x, std::size_t axis, const Shape& index) {
  if (index.rank() != x.rank()) {
    throw ShapeError(fmt::format("{}: the index must have as many dimensions as x: x is {}, the index is {}",
                                 to_string(op), to_string(x), to_string(index)));
  }
  for (std::size_t d = 0; d < x.rank(); ++d) {
    if (d == axis || index[d] <= x[d]) continue;
    throw ShapeError(
        fmt::format("{}: the index must be no larger than x outside axis {}: x is {}, the index is {}",
                    to_string(op), axis, to_string(x), to_string(index)));
  }
}

Tensor widened(const Tensor& index) { return index.dtype() == Dtype::int32 ? index.to(Dtype::int64) : index; }

Tensor ids_across(const Tensor& ids, OpId op, std::int64_t count) {
  check_index_range(op, array_of(ids), {"the result", 0, count});
  const Tensor before = reshaped(arange(ids.size(0)) * count, {ids.size(0), 1});
  const Tensor is_one = bitwise_and(ids >= 0, ids < count);
  return reshaped(where(is_one, ids + before, -1), {ids.numel()});
}

Tensor index_of_elements(const Tensor& index, std::size_t axis, Shape x) {
  Shape along{index.shape()[0]};
  while (along.rank() < x.rank()) along.push_back(along.rank() == axis + 1 ? index.shape()[1] : 1);
  x[axis + 1] = index.shape()[1];
  return stretched_to(reshaped(index, along), x);
}

bool batch_at_entries(const Primitive& by_entries, const Primitive& by_elements, std::size_t axis,
                      BatchContext& context) {
  if (example_rank(context.input(0)) >= Shape::max_rank) return false;
  const Tensor x = repeated(context.input(0), context.size()),
               source = repeated(context.input(2), context.size());
  const BatchInput& index = context.input(1);
  if (index.is_batched) {
    const Tensor places = index_of_elements(index.tensor, axis, x.shape());
    context.set(0, apply_any(by_elements, std::array{&x, &places, &source}));
  } else {
    context.set(
        0, apply_any(*with_moved_axes(by_entries, context.size()), std::array{&x, &index.tensor, &source}));
  }
  return true;
}

}  // namespace xtgrad::v1::detail
