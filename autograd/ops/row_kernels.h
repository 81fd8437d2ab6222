#pragma once

#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/kernels/levels/sum.h"
#include "xtgrad/autograd/primitive.h"

namespace xtgrad::inline v1::detail {

/// What sums the rows of a floating dtype; null for any other.
inline RowKernel row_sums(Dtype dtype) {
  if (!FloatingTypes::contains(dtype)) return nullptr;
  return visit_floating(dtype, [](auto zero) -> RowKernel {
    return [](const Primitive&, std::int64_t rows, std::int64_t width, const void* in, void* out) {
      sum_last_axis(dtype_of<decltype(zero)>, in, rows, width, out);
    };
  });
}

}  // namespace xtgrad::v1::detail
