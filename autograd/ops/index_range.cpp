#include "xtgrad/autograd/ops/index_range.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "xtgrad/autograd/errors.h"

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

}  // namespace xtgrad::v1::detail
