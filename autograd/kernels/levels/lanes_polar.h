// The distance from the origin on lanes; the angle is in lanes_trigonometric.h.
#pragma once

#include <limits>

#include "xtgrad/autograd/kernels/levels/lanes.h"
#include "xtgrad/autograd/kernels/levels/lanes_trigonometric.h"
#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

/// sqrt(a^2 + b^2) without squares that leave the range; infinite where an operand is, be the other NaN.
template <LaneFloat T>
Lane<T> hypot(Lane<T> a, Lane<T> b) {
  constexpr T inf = std::numeric_limits<T>::infinity();
  const Lane<T> x = abs(a), y = abs(b);
  const Lane<T> large = where(x > y, x, y), small = where(x > y, y, x);
  const Mask<T> plain = (large > 0) & (large < inf);
  const Lane<T> r = where(plain, small, 0) / where(plain, large, 1);
  const Lane<T> length = where(plain, large * sqrt(1 + r * r), large);
  return where(isinf(a) | isinf(b), inf, where(isnan(a), a, where(isnan(b), b, length)));
}

}  // namespace xtgrad::v1::detail
