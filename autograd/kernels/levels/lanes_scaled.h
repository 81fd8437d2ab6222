// f e^x of a factor, on lanes, where e^x alone is subnormal: the factor would magnify what is rounded off.
#pragma once

#include <cmath>
#include <limits>

#include "xtgrad/autograd/kernels/levels/lanes.h"
#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

/// Below this e^x is subnormal, or nearly.
template <LaneFloat T>
constexpr T faint_exp = LaneBits<T>::is_double ? T(-708) : T(-87);

/// f e^x, scaled last. For an f up to 1e150 (1e19) all x are in range, infinities too.
template <LaneFloat T>
[[gnu::always_inline]] inline Lane<T> times_exp(Lane<T> f, LanePair<T> x) {
  constexpr T most = LaneBits<T>::is_double ? T(1090) : T(148);
  const Lane<T> near = where(x.high > most, most, where(x.high < -most, -most, x.high));
  const ExpParts<T> e = exp_parts(near, where(near == x.high, x.low, 0));
  return scale(fma(f, e.p, f), e.k);
}
template <LaneFloat T>
[[gnu::always_inline]] inline Lane<T> times_exp(Lane<T> f, Lane<T> x) {
  return times_exp(f, LanePair<T>{x, Lane<T>(T(0))});
}

/// factor x^(y + y_low), scaled last. Of a negative finite x it is NaN unless the exponent is an integer. Not
/// for an exponent of 0 or one beyond 2^40.
template <LaneFloat T>
Lane<T> times_power(double factor, Lane<T> x, double y, double y_low) {
  constexpr T inf = std::numeric_limits<T>::infinity();
  const Lane<T> f(static_cast<T>(factor)), a = abs(x);
  const T rounded = static_cast<T>(y), rest = static_cast<T>((y - static_cast<double>(rounded)) + y_low);
  const Mask<T> edge = !((a > 0) & (a < inf));
  const LanePair<T> l = log_pair(where(edge, 1, a));
  const LanePair<T> p = two_product(Lane<T>(rounded), l.high);
  // Here nothing is left, whatever the factor.
  constexpr T none = LaneBits<T>::is_double ? T(-1080) : T(-147);
  const Lane<T> product = times_exp(f, LanePair<T>{p.high, p.low + (rounded * l.low + rest * l.high)});
  Lane<T> r = where(p.high < none, static_cast<T>(std::copysign(0, factor)), product);
  const T grown = static_cast<T>(std::copysign(inf, factor));
  r = where(a == 0, y < 0 ? grown : T(0), where(a == inf, y < 0 ? T(0) : grown, r));
  if (y_low != 0 || std::floor(y) != y) {
    r = where((x < 0) & (a < inf), std::numeric_limits<T>::quiet_NaN(), r);
  } else if (std::fmod(y, 2) != 0) {
    r = r * copysign(Lane<T>(T(1)), x);
  }
  return where(isnan(x), x, r);
}

}  // namespace xtgrad::v1::detail
