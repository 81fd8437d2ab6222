#pragma once

#include <cstdint>

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail {

/// Sizes of points a [batch, n, d] and b [batch, m, d].
struct PointSets {
  std::int64_t batch, n, m, d;
};

XTGRAD_KERNELS_BEGIN

/// out [batch, n, m] = the lengths of a - b: of float32 and float64, right in the whole range.
void distances(const Array& a, const Array& b, const PointSets& sizes, Array& out);

/// da = the sum over m of (g / y) (a - b), where y are the distances: nothing of one that is 0.
void distances_grad_a(const Array& g, const Array& a, const Array& b, const Array& y, const PointSets& sizes,
                      Array& da);
/// db = the sum over n of (g / y) (b - a).
void distances_grad_b(const Array& g, const Array& a, const Array& b, const Array& y, const PointSets& sizes,
                      Array& db);

XTGRAD_KERNELS_END
XTGRAD_KERNEL(distances)
XTGRAD_KERNEL(distances_grad_a)
XTGRAD_KERNEL(distances_grad_b)

}  // namespace xtgrad::v1::detail
