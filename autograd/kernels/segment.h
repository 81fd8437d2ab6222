#pragma once

#include "xtgrad/autograd/core/array.h"

namespace xtgrad::inline v1::detail {

/// out[id] = the largest, or the smallest, of the entries of x along axis 0 whose id it is; of none the end
/// of the dtype's range, infinite where it has infinities. NaN wins. For int64 and floating arrays; ids are
/// int64 and in range.
void segment_largest(const Array& x, const Array& ids, Array& out);
void segment_smallest(const Array& x, const Array& ids, Array& out);

}  // namespace xtgrad::v1::detail
