#pragma once

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/kernels/reduce.h"

namespace xtgrad::inline v1::detail {

/// The first `count` elements along the view's axis in ascending or descending order, with their indices,
/// int64; equal elements keep their order, and NaN counts as larger than every number. For int64 and floating
/// arrays; the results have `count` elements along the axis.
void order_axis(const Array& in, const AxisView& view, std::int64_t count, bool descending, Array& values,
                Array& indices);

}  // namespace xtgrad::v1::detail
