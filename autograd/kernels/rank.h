#pragma once

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/kernels/reduce.h"

namespace xtgrad::inline v1::detail {

// Elements along the view's axis that their rank or their number chooses, and the index, int64, of the first
// one that is equal: of int64 and floating arrays. The axis must not be empty unless the results are.

/// The middle one, of an even number the lower of two; NaN wins.
void median_axis(const Array& in, const AxisView& view, Array& values, Array& indices);

/// The most frequent one, the smallest of several; NaN is one value, larger than all.
void mode_axis(const Array& in, const AxisView& view, Array& values, Array& indices);

}  // namespace xtgrad::v1::detail
