#pragma once

#include <cstddef>

#include "xtgrad/autograd/core/array.h"

namespace xtgrad::inline v1::detail {

// Of entries that name one place along `axis`, in the order of the axis, so that results do not depend on the
// number of threads. `source` has the shape of `index`, which is int64, of `out`'s rank, no larger than it
// off the axis, and in range; the caller has checked.

/// out[..., index[..., a, ...], ...] = source[..., a, ...], of any dtype; the last entry stays.
void scatter_elements(Array& out, std::size_t axis, const Array& index, const Array& source);

/// out[..., index[a], ...] = source[..., a, ...] for an index [n]; `source` has n entries along the axis, and
/// out's sizes off it.
void scatter_rows(Array& out, std::size_t axis, const Array& index, const Array& source);

enum class Extreme { largest, smallest };
/// The same for the largest, or the smallest, of what is there and the entries; NaN wins. For int64, float32
/// and float64.
void scatter_extremes(Array& out, std::size_t axis, const Array& index, const Array& source, Extreme extreme);

}  // namespace xtgrad::v1::detail
