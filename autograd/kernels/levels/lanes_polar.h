// The distance from the origin on lanes; the angle is in lanes_trigonometric.h.
#pragma once

#include <limits>

#include "xtgrad/autograd/kernels/levels/lanes.h"
#include "xtgrad/autograd/kernels/levels/lanes_trigonometric.h"
#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

/// What brings lengths to where their squares, and what rounding drops of them, are in the range: powers of
/// two, which round nothing.
template <LaneFloat T>
struct HypotRange {
  static constexpr T large = LaneBits<T>::is_double ? T(0x1p500) : T(0x1p60);
  static constexpr T down = LaneBits<T>::is_double ? T(0x1p-600) : T(0x1p-70);
  static constexpr T tiny = LaneBits<T>::is_double ? T(0x1p-400) : T(0x1p-40);
  static constexpr T up = LaneBits<T>::is_double ? T(0x1p600) : T(0x1p100);
};

/// sqrt(a^2 + b^2) of large >= small >= 0, rounded nearly once: a step of Newton's from the rounded sum's
/// root to that of the sum as a pair.
template <LaneFloat T>
Lane<T> length_of(Lane<T> large, Lane<T> small) {
  const LanePair<T> s = two_product(large, large), t = two_product(small, small);
  const LanePair<T> sum = fast_two_sum(s.high, t.high);
  const Lane<T> root = sqrt(sum.high);
  const LanePair<T> square = two_product(root, root);
  const Lane<T> rest = ((sum.high - square.high) - square.low) + (sum.low + (s.low + t.low));
  return root + rest * (0.5 / root);
}

/// sqrt(a^2 + b^2) without squares that leave the range; infinite where an operand is, be the other NaN.
template <LaneFloat T>
Lane<T> hypot(Lane<T> a, Lane<T> b) {
  constexpr T inf = std::numeric_limits<T>::infinity();
  const Lane<T> x = abs(a), y = abs(b);
  const Lane<T> large = where(x > y, x, y), small = where(x > y, y, x);
  const Mask<T> plain = (large > 0) & (large < inf);
  const Mask<T> far = large > HypotRange<T>::large, near = large < HypotRange<T>::tiny;
  const Lane<T> unit = where(far, HypotRange<T>::down, where(near, HypotRange<T>::up, Lane<T>(T(1))));
  const Lane<T> back = where(far, 1 / HypotRange<T>::down, where(near, 1 / HypotRange<T>::up, Lane<T>(T(1))));
  const Lane<T> length = length_of(where(plain, large * unit, 1), where(plain, small * unit, 0)) * back;
  return where(isinf(a) | isinf(b), inf, where(isnan(a), a, where(isnan(b), b, where(plain, length, large))));
}

}  // namespace xtgrad::v1::detail
