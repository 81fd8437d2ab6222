#pragma once

#include <cstdint>

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/kernels/levels/level.h"
#include "xtgrad/autograd/kernels/window.h"

namespace xtgrad::inline v1::detail {

// Pooling of planes [planes, h, w] to [planes, places], both of one floating dtype. Planes are the unit of
// work, so results do not depend on the number of threads.

/// What the sum of a window is divided by.
struct AvgDivisor {
  std::int64_t fixed = 0;     ///< this, unless 0
  bool count_padding = true;  ///< else the number of its elements, of those in the padding too or not
};

XTGRAD_KERNELS_BEGIN

/// Sum of each window over its divisor. NaN for 0 / 0.
void avg_pool_planes(const WindowedPlanes& at, const AvgDivisor& divisor, const Array& x, Array& y);

/// The adjoint of avg_pool_planes: g over the divisor, added to every element of its window.
void avg_spread_planes(const WindowedPlanes& at, const AvgDivisor& divisor, const Array& g, Array& out);

XTGRAD_KERNELS_END
XTGRAD_KERNEL(avg_pool_planes)
XTGRAD_KERNEL(avg_spread_planes)

}  // namespace xtgrad::v1::detail
