#pragma once

#include <cstdint>

#include "xtgrad/autograd/core/array.h"

namespace xtgrad::inline v1::detail {

/// x as bool, of any dtype: whether an element is other than 0, as NaN is. x itself where it is bool.
[[nodiscard]] Array truth_of(const Array& x);

/// AxisKernels of bool arrays: whether one element is true, false of none, or all are, true of none.
void any_axis(const Array& in, std::int64_t outer, std::int64_t axis, std::int64_t inner, Array& out);
void all_axis(const Array& in, std::int64_t outer, std::int64_t axis, std::int64_t inner, Array& out);

/// How many elements along the axis are true, int64.
void count_axis(const Array& truth, std::int64_t outer, std::int64_t axis, std::int64_t inner, Array& count);

}  // namespace xtgrad::v1::detail
