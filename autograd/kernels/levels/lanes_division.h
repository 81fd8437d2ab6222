// What a division of numbers leaves, on lanes.
#pragma once

#include <cmath>
#include <limits>

#include "xtgrad/autograd/kernels/levels/lanes.h"
#include "xtgrad/autograd/kernels/levels/lanes_rounding.h"
#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

/// C's fmod, exact: a less b times their quotient, whose whole part is right or, where the quotient was
/// rounded up to it, one too large.
template <LaneFloat T>
Lane<T> fmod(Lane<T> a, Lane<T> b) {
  constexpr T inf = std::numeric_limits<T>::infinity();
  constexpr T whole = T(std::int64_t{1} << (std::numeric_limits<T>::digits - 1));
  const Lane<T> x = abs(a), y = abs(b);
  const Mask<T> odd = !((x < inf) & (y < inf) & (y > 0));
  const Lane<T> top = where(odd, 0, x), bottom = where(odd, 1, y);
  const Mask<T> far = (!(top * (1 / whole) < bottom)) | (bottom < std::numeric_limits<T>::min() * whole);
  const Lane<T> n = where(far, 0, top), d = where(far, 1, bottom);
  const LanePair<T> product = two_product(floor(n / d), d);
  const Lane<T> left = (n - product.high) - product.low;
  Lane<T> rest = where(left < 0, left + d, left);
  if (any(far | odd)) [[unlikely]]
    rest = patch(
        far | odd, rest, [](T u, T v) { return std::fmod(u, v); }, x, y);
  return where(isnan(a), a, copysign(rest, a));
}

/// What Python's % leaves, of the sign of b.
template <LaneFloat T>
Lane<T> remainder(Lane<T> a, Lane<T> b) {
  const Lane<T> rest = fmod(a, b);
  const Mask<T> other_side = (rest < 0) ^ (b < 0);
  return where(rest == 0, copysign(rest, b), where(other_side & !isnan(rest), rest + b, rest));
}

/// Python's //: the whole part of the quotient, by what is left, since the quotient alone may round up to it.
template <LaneFloat T>
Lane<T> floor_divide(Lane<T> a, Lane<T> b) {
  // Of these the quotient itself is the answer.
  const Mask<T> plain = (b == 0) | isinf(a);
  const Lane<T> x = where(plain, 1, a), y = where(plain, 1, b), rest = fmod(x, y);
  const Mask<T> other_side = ((rest < 0) ^ (y < 0)) & (rest != 0) & !isnan(rest);
  const Lane<T> cut = (x - rest) / y, exact = where(other_side, cut - 1, cut);
  constexpr T whole = T(std::int64_t{1} << (std::numeric_limits<T>::digits - 1));
  const Mask<T> large = !(abs(exact) < whole);
  const Lane<T> f = where(large, 0, exact), near = floor(f);
  const Lane<T> rounded = where(large, exact, where(f - near > 0.5, near + 1, near));
  const Lane<T> quotient = a / b;
  return where(plain, quotient, where(rounded == 0, copysign(rounded, quotient), rounded));
}

}  // namespace xtgrad::v1::detail
