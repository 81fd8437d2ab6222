// Whole numbers near a lane's elements.
#pragma once

#include "xtgrad/autograd/kernels/levels/lanes.h"
#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

template <LaneFloat T>
Lane<T> ceil(Lane<T> x) {
  return -floor(-x);
}

template <LaneFloat T>
Lane<T> trunc(Lane<T> x) {
  return copysign(floor(abs(x)), x);
}

/// To the nearest, and to the even one of two that are as near.
template <LaneFloat T>
Lane<T> round(Lane<T> x) {
  // Among numbers of this size there are no fractions: adding it rounds, as all arithmetic does.
  constexpr T whole = T(std::int64_t{1} << (std::numeric_limits<T>::digits - 1));
  const Lane<T> a = abs(x);
  return copysign(where(a < whole, (a + whole) - whole, a), x);
}

}  // namespace xtgrad::v1::detail
