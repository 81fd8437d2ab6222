#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "xtgrad/autograd/array.h"
#include "xtgrad/autograd/core/batch.h"
#include "xtgrad/autograd/core/op_id.h"
#include "xtgrad/autograd/core/primitive.h"
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

/// Ids [size, n] from 0 to below `count` as ones of `size` times as many, [size * n]. Throws as
/// check_index_range; where the step is run again, what is out of range is so among any number.
Tensor ids_across(const Tensor& ids, OpId op, std::int64_t count);

/// An index of entries, [size, n] for x [size, ...], as one of elements.
Tensor index_of_elements(const Tensor& index, std::size_t axis, Shape x);
/// For `batch` of x, an index of entries along an example's `axis`, and a source: `by_elements` is the same
/// of an index of elements along the batch's.
bool batch_at_entries(const Primitive& by_entries, const Primitive& by_elements, std::size_t axis,
                      BatchContext& context);

}  // namespace xtgrad::v1::detail
