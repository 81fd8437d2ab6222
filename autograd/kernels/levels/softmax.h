#pragma once

#include "xtgrad/autograd/kernels/levels/level.h"
#include "xtgrad/autograd/kernels/reduce.h"

namespace xtgrad::inline v1::detail {

// Kernels of softmax and its relatives along the middle dimension of arrays seen as [outer, axis, inner], all
// of one floating dtype. The largest element is taken off before exp, so nothing overflows, and sums run in
// double or compensated.

XTGRAD_KERNELS_BEGIN

/// AxisKernel: log(sum(exp(in))). The largest term enters as log1p of the others' sum, so a row that one
/// element dominates keeps the digits that the others add. -inf for an empty axis.
void logsumexp_axis(const Array& in, std::int64_t outer, std::int64_t axis, std::int64_t inner, Array& out);

/// The same, and what the rule reads of each row: float64 [2, outer * inner], the largest element and the
/// sum of exp(in - largest). The axis must not be empty unless the result is.
void logsumexp_and_scales(const Array& in, const AxisView& view, Array& out, Array& scales);

/// out = exp(in) / sum(exp(in)), of the shape of `in`.
void softmax_axis(const Array& in, const AxisView& view, Array& out);

/// out = in - log(sum(exp(in))), of the shape of `in`.
void log_softmax_axis(const Array& in, const AxisView& view, Array& out);

XTGRAD_KERNELS_END
XTGRAD_KERNEL(logsumexp_axis)
XTGRAD_KERNEL(logsumexp_and_scales)
XTGRAD_KERNEL(softmax_axis)
XTGRAD_KERNEL(log_softmax_axis)

}  // namespace xtgrad::v1::detail
