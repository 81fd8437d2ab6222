#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail {

using Strides = std::array<std::int64_t, Shape::max_rank>;

/// Elements between neighbours along each dimension of a contiguous array.
inline Strides row_major_strides(const Shape& shape) {
  Strides strides{};
  std::int64_t stride = 1;
  for (std::size_t d = shape.rank(); d-- > 0; stride *= shape[d]) strides[d] = stride;
  return strides;
}

/// A walk over `rank` dimensions, outermost first, that moves one element each step. Offsets and strides are
/// in elements; a stride of 0 in `from` repeats an element, one below 0 goes backwards. No two steps may
/// write to one place.
struct StridedMove {
  std::size_t rank = 0;
  std::array<std::int64_t, Shape::max_rank> sizes{};
  Strides from_strides{};
  Strides to_strides{};
  std::int64_t from_offset = 0;
  std::int64_t to_offset = 0;

  void add_dimension(std::int64_t size, std::int64_t from_stride, std::int64_t to_stride) {
    sizes[rank] = size;
    from_strides[rank] = from_stride;
    to_strides[rank] = to_stride;
    ++rank;
  }
};

XTGRAD_KERNELS_BEGIN

/// Moves elements from one array to a fresh one of the same dtype. Contiguous rows are copied whole, and
/// transposes go through square blocks that live in registers.
void copy_strided(const StridedMove& move, const Array& from, Array& to);

/// The same walk, adding what it moves to what is there: int64 (which wraps around), float32 and float64.
void add_strided(const StridedMove& move, const Array& from, Array& to);

XTGRAD_KERNELS_END
XTGRAD_KERNEL(copy_strided)
XTGRAD_KERNEL(add_strided)

}  // namespace xtgrad::v1::detail
