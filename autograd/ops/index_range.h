#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "xtgrad/autograd/array.h"
#include "xtgrad/autograd/core/op_id.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::detail {

/// What an index names places of.
struct IndexedAxis {
  std::string_view operand;
  std::size_t axis;
  std::int64_t size;
};

/// Throws ValueError, in the name of `op`, for the first entry of an int64 index that is no place along the
/// axis.
void check_index_range(OpId op, const Array& index, const IndexedAxis& indexed);

/// Throws ShapeError, in the name of `op`, unless `index` has x's rank and is no larger than x off the axis.
void check_index_shape(OpId op, const Shape& x, std::size_t axis, const Shape& index);

/// An index as kernels read it, in int64; others than int32 as they are.
Tensor widened(const Tensor& index);

}  // namespace xtgrad::v1::detail
