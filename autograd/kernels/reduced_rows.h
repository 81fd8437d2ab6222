#pragma once

#include <cstdint>

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/kernels/reduce.h"

namespace xtgrad::inline v1::detail {

/// What a reduction over axes reads as rows, one behind the other: of each element of the result those that
/// it comes from.
struct ReducedRows {
  Array elements;
  std::int64_t rows;
  std::int64_t width;
};

/// x itself where the axes are its last ones, else a copy in that order.
[[nodiscard]] ReducedRows reduced_rows(const Array& x, AxisMask axes);

}  // namespace xtgrad::v1::detail
