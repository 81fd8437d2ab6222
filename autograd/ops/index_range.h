#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "xtgrad/autograd/array.h"
#include "xtgrad/autograd/core/op_id.h"

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

}  // namespace xtgrad::v1::detail
