#pragma once

#include <cstddef>

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail {

XTGRAD_KERNELS_BEGIN

/// out[..., a, ...] = x[..., index[..., a, ...], ...] at `axis`. `out` has the shape of `index`, which is
/// int64, of x's rank, no larger than x off the axis, and in range; the caller has checked.
void gather_elements(const Array& x, std::size_t axis, const Array& index, Array& out);

/// sum[..., index[..., a, ...], ...] += source[..., a, ...], in place, for int64 (which wraps around),
/// float32 and float64. `source` has the shape of `index`, on which the same holds as above. Up to 16 that
/// meet in one element are added in the order of `a`, more than these as a long sum (long_sum.h), so the
/// bits do not depend on the number of threads.
void scatter_add_elements(Array& sum, std::size_t axis, const Array& index, const Array& source);

/// out[..., a, ...] = x[..., index[a], ...] at `axis`. `out` has x's shape but for the axis, `index` is
/// int64 [n] and in range.
void select_elements(const Array& x, std::size_t axis, const Array& index, Array& out);

/// sum[..., index[a], ...] += source[..., a, ...], in place, as scatter_add_elements does.
void index_add_elements(Array& sum, std::size_t axis, const Array& index, const Array& source);

/// sum[..., places[a], ...] += source[..., a, ...], in place, and the same without the addition. `places`
/// are int64 [n], in range, and differ; `source` is no larger than `sum` off the axis, along which it has n
/// entries or more. Takes no memory.
void add_at_places(Array& sum, std::size_t axis, const Array& places, const Array& source);
void put_at_places(Array& sum, std::size_t axis, const Array& places, const Array& source);

XTGRAD_KERNELS_END
XTGRAD_KERNEL(gather_elements)
XTGRAD_KERNEL(scatter_add_elements)
XTGRAD_KERNEL(select_elements)
XTGRAD_KERNEL(index_add_elements)
XTGRAD_KERNEL(add_at_places)
XTGRAD_KERNEL(put_at_places)

}  // namespace xtgrad::v1::detail
