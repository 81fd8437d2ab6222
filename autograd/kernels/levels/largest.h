#pragma once

#include <cstdint>

#include "xtgrad/autograd/kernels/levels/level.h"
#include "xtgrad/autograd/kernels/reduce.h"

namespace xtgrad::inline v1::detail {

XTGRAD_KERNELS_BEGIN

/// AxisKernel for the largest element of int64 and floating arrays; NaN wins. The axis must not be empty
/// unless the result is.
void max_axis(const Array& in, std::int64_t outer, std::int64_t axis, std::int64_t inner, Array& out);
/// The same for the smallest; NaN wins here, too.
void min_axis(const Array& in, std::int64_t outer, std::int64_t axis, std::int64_t inner, Array& out);
/// The same of each row, in floating dtypes, where there are no arrays: `in` is [rows, axis].
void max_last_axis(Dtype dtype, const void* in, std::int64_t rows, std::int64_t axis, void* out);
void min_last_axis(Dtype dtype, const void* in, std::int64_t rows, std::int64_t axis, void* out);

/// The largest element along the view's axis, the first of those that tie, and, int64, its index along the
/// axis: for int64 and floating arrays; NaN wins. The axis must not be empty unless the results are.
void find_largest(const Array& in, const AxisView& view, Array& largest, Array& index);
/// The same for the smallest; NaN wins here, too.
void find_smallest(const Array& in, const AxisView& view, Array& smallest, Array& index);

XTGRAD_KERNELS_END
XTGRAD_KERNEL(max_axis)
XTGRAD_KERNEL(min_axis)
XTGRAD_KERNEL(max_last_axis)
XTGRAD_KERNEL(min_last_axis)
XTGRAD_KERNEL(find_largest)
XTGRAD_KERNEL(find_smallest)

}  // namespace xtgrad::v1::detail
