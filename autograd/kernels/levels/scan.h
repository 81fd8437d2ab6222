#pragma once

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/kernels/levels/level.h"
#include "xtgrad/autograd/kernels/reduce.h"

namespace xtgrad::inline v1::detail {

/// How an axis is walked.
struct ScanOrder {
  bool reverse = false;    // from its end
  bool exclusive = false;  // a result is without the element at its place
};

// Scans along the view's axis. Those of float32 are computed in double and rounded as they are stored; of
// each place in the other dimensions elements are met one after the other, so the bits depend on nothing
// else.

XTGRAD_KERNELS_BEGIN

/// Sums and products, of int64 (which wraps around), float32 and float64.
void cumsum_axis(const Array& in, const AxisView& view, ScanOrder order, Array& out);
void cumprod_axis(const Array& in, const AxisView& view, ScanOrder order, Array& out);

/// y = b + a y', where y' is the result before, 0 for the first: with `lagged` times the factor that stands
/// at the place before, y = b + a' y'. Of float32 and float64.
void linear_scan_axis(const Array& a, const Array& b, const AxisView& view, bool reverse, bool lagged,
                      Array& out);

/// Largest or smallest elements of int64 and floating arrays, and their indices along the axis, int64: the
/// first that is met of those that tie, and NaN wins.
void cummax_axis(const Array& in, const AxisView& view, bool reverse, Array& best, Array& index);
void cummin_axis(const Array& in, const AxisView& view, bool reverse, Array& best, Array& index);

/// Logarithms of sums of exponentials, of float32 and float64.
void logcumsumexp_axis(const Array& in, const AxisView& view, bool reverse, Array& out);

XTGRAD_KERNELS_END
XTGRAD_KERNEL(cumsum_axis)
XTGRAD_KERNEL(cumprod_axis)
XTGRAD_KERNEL(linear_scan_axis)
XTGRAD_KERNEL(cummax_axis)
XTGRAD_KERNEL(cummin_axis)
XTGRAD_KERNEL(logcumsumexp_axis)

}  // namespace xtgrad::v1::detail
