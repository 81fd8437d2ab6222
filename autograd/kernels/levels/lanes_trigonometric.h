// The tangent, arcs and sin(pi x) / (pi x) on lanes.
#pragma once

#include <cmath>

#include "xtgrad/autograd/kernels/levels/lanes.h"
#include "xtgrad/autograd/kernels/levels/lanes_activation.h"
#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

template <LaneFloat T>
struct PiParts;
template <>
struct PiParts<double> {
  static constexpr double half = 0x1.921fb54442d18p+0, half_low = 0x1.1a62633145c07p-54;
};
template <>
struct PiParts<float> {
  static constexpr float half = 0x1.921fb6p+0f, half_low = -0x1.777a5cp-25f;
};

/// Bit 0 of a whole number.
template <LaneFloat T>
Mask<T> is_odd(Lane<T> k) {
  using Bits = LaneBits<T>;
  const auto low_bit = Bits::of(k + Bits::shifter) & typename Bits::Batch(typename Bits::Word(1));
  return Bits::to_lane(low_bit | typename Bits::Batch(Bits::one)) != 1;
}

template <LaneFloat T>
Lane<T> tan(Lane<T> x) {
  const Mask<T> far = !(abs(x) < HalfPi<T>::limit);
  const QuarterTurns<T> q = quarter_turns(where(far, 0, x));
  const Lane<T> s = sin_reduced(q.high, q.low), c = cos_reduced(q.high, q.low);
  const Mask<T> swap = is_odd(q.k);
  const Lane<T> y = where(x == 0, x, where(swap, -c, s) / where(swap, s, c));
  return any(far) ? patch(
                        far, y, [](T v) { return std::tan(v); }, x)
                  : y;
}

/// (atan(r) - r) / r in z = r^2, for |r| <= tan(pi / 8): a fit at Chebyshev's points, good to 2^-62 (2^-33)
/// of atan(r).
template <LaneFloat T>
Lane<T> atan_tail(Lane<T> z) {
  if constexpr (LaneBits<T>::is_double) {
    return z * polynomial(z, -0.33333333333333333216, 0.19999999999999802534, -0.14285714285659327298,
                          0.11111111105106705143, -0.090909087510766358766, 0.076922963049744700568,
                          -0.066664236280692575788, 0.05878914544400621696, -0.052303478730160741827,
                          0.045511081263251718832, -0.034558092551413796109, 0.016271944751624060358);
  } else {
    return z * polynomial(z, -0.33333333278951576455, 0.19999977153974206137, -0.1428414554827377343,
                          0.1107126044431376675, -0.086238966696005049765, 0.0504612816760351682);
  }
}

/// atan(top / bottom) of two numbers from 0 on, not both 0 or infinite, neither NaN: an angle from 0 to pi
/// / 2.
template <LaneFloat T>
Lane<T> atan_of_quotient(Lane<T> top, Lane<T> bottom) {
  using Pi = PiParts<T>;
  // tan(a - pi/4) = (tan(a) - 1) / (tan(a) + 1), and tan(a - pi/2) = -1 / tan(a). Halves, for sums of the
  // largest numbers are none, and multiples of tiny ones, whose products would lose what they have.
  const Mask<T> large = (top > 1) | (bottom > 1), tiny = (top < T(1e-30)) & (bottom < T(1e-30));
  const Lane<T> unit = where(large, T(0.5), where(tiny, T(0x1p64), Lane<T>(T(1))));
  const Lane<T> a = top * unit, b = bottom * unit;
  const Mask<T> far = 0.4142135623730950488 * a > b, middle = (!far) & (a > 0.4142135623730950488 * b);
  const Lane<T> r = where(far, -b, where(middle, a - b, a)) / where(far, a, where(middle, a + b, b));
  const Lane<T> high = where(far, Pi::half, where(middle, Pi::half / 2, Lane<T>(T(0))));
  const Lane<T> low = where(far, Pi::half_low, where(middle, Pi::half_low / 2, Lane<T>(T(0))));
  return high + (r + fma(r, atan_tail(r * r), low));
}

template <LaneFloat T>
Lane<T> atan(Lane<T> x) {
  const Lane<T> y = atan_of_quotient(where(isnan(x), 0, abs(x)), Lane<T>(T(1)));
  return where(isnan(x), x, copysign(y, x));
}

/// The angle of the point (x, y), from -pi to pi; C's, signs of zeros and infinities included.
template <LaneFloat T>
Lane<T> atan2(Lane<T> y, Lane<T> x) {
  using Pi = PiParts<T>;
  constexpr T inf = std::numeric_limits<T>::infinity();
  const Lane<T> a = abs(y), b = abs(x);
  const Mask<T> none = isnan(x) | isnan(y);
  const Mask<T> equal = (a == b) & ((a == 0) | (a == inf));  // 0 / 0 and inf / inf are neither
  const Lane<T> top = where(none | equal, where(a == inf, Lane<T>(T(1)), Lane<T>(T(0))), a);
  const Lane<T> angle = atan_of_quotient(top, where(none | equal, 1, b));
  const Lane<T> turned = Pi::half * 2 - (angle - Pi::half_low * 2);
  const Lane<T> size = where(copysign(Lane<T>(T(1)), x) < 0, turned, angle);
  return where(none, where(isnan(x), x, y), copysign(size, y));
}

/// (asin(s) - s) / s in z = s^2 <= 1/4, a fit like atan's, good to 2^-61 (2^-29).
template <LaneFloat T>
Lane<T> asin_tail(Lane<T> z) {
  if constexpr (LaneBits<T>::is_double) {
    return z * polynomial(z, 0.16666666666666666591, 0.075000000000001184573, 0.044642857142550185061,
                          0.030381944475693704864, 0.022372157435623815414, 0.017352816768546472724,
                          0.013963775787848136425, 0.01156651182189094295, 0.0096214027473448303384,
                          0.0093221015010827738673, 0.0030350071727267624046, 0.019579201619744684717,
                          -0.019277545928584555356, 0.029635026263548548346);
  } else {
    return z * polynomial(z, 0.16666666336540489848, 0.075000947611729011329, 0.044599319162871138126,
                          0.031101727829067166667, 0.017143716819253568536, 0.033700726321365131584);
  }
}

/// Near 1 the angle is twice that of sqrt((1 - |x|) / 2), seen from the other end.
template <LaneFloat T>
struct ArcParts {
  Mask<T> from_the_end;
  Lane<T> s, rest;  // asin(s) = s + rest

  static ArcParts of(Lane<T> x) {
    const Lane<T> a = abs(x);
    const Mask<T> far = a > 0.5;
    const Lane<T> z = where(far, 0.5 * (1 - a), square(where(far, 0, a)));
    const Lane<T> s = where(far, sqrt(where(far, z, 0)), a);
    return {far, s, s * asin_tail(z)};
  }
};

template <LaneFloat T>
Lane<T> asin(Lane<T> x) {
  using Pi = PiParts<T>;
  const ArcParts<T> p = ArcParts<T>::of(x);
  const Lane<T> far = Pi::half - (2 * p.s + (2 * p.rest - Pi::half_low));
  return copysign(where(p.from_the_end, far, p.s + p.rest), x);
}

template <LaneFloat T>
Lane<T> acos(Lane<T> x) {
  using Pi = PiParts<T>;
  const ArcParts<T> p = ArcParts<T>::of(x);
  const Lane<T> from_end =
      where(x > 0, 2 * p.s + 2 * p.rest, 2 * Pi::half - (2 * p.s + (2 * p.rest - 2 * Pi::half_low)));
  const Lane<T> near = Pi::half - (x - (Pi::half_low - copysign(p.rest, x)));
  return where(p.from_the_end, from_end, where(isnan(x), x, near));
}

template <class V>
struct SinAndCos {
  V sin, cos;
};

/// sin(pi x) and cos(pi x): exact at whole and half numbers.
template <LaneFloat T>
SinAndCos<Lane<T>> sin_and_cos_of_pi(Lane<T> x) {
  static constexpr PairConstant<T> pi(3.14159265358979323846264338327950288L);
  // Larger numbers are even.
  constexpr T even = T(std::int64_t{1} << (std::numeric_limits<T>::digits - 2));
  const Lane<T> near = where(abs(x) < even, x, 0);
  const Lane<T> k = round_small(2 * near);
  const LanePair<T> r = pi.times(LanePair<T>{near - 0.5 * k, Lane<T>(T(0))});
  const Lane<T> s = sin_reduced(r.high, r.low), c = cos_reduced(r.high, r.low);
  const Mask<T> swap = is_odd(k);
  // After k quarter turns: sin is s, c, -s, -c and cos is c, -s, -c, s.
  const Lane<T> half = floor(0.5 * k), next = floor(0.5 * (k + 1));
  const Lane<T> sin = where(swap, c, s), cos = where(swap, s, c);
  return {where(is_odd(half), -sin, sin), where(is_odd(next), -cos, cos)};
}

/// The n-th derivative of sin(pi x) / (pi x).
template <LaneFloat T>
Lane<T> sinc_derivative(Lane<T> x, std::int64_t n) {
  constexpr double pi = 3.14159265358979323846;
  constexpr T inf = std::numeric_limits<T>::infinity();
  // By x f^(k) = d^k/dx^k sin(pi x) / pi - k f^(k - 1), which is stable from pi x = n on.
  const double nearest = n == 0 ? 0 : (static_cast<double>(n) + 1.5) / pi;
  const Lane<T> a = abs(x);
  const Mask<T> near = a <= nearest, infinite = a == inf;
  const Lane<T> away = where(near | infinite, 1, x);
  const auto turn = sin_and_cos_of_pi(away);
  static constexpr PairConstant<T> exact_pi(3.14159265358979323846264338327950288L);
  // Numbers of this size are even, and their sine is 0.
  const Mask<T> even = abs(away) > 1e16;
  const LanePair<T> angle =
      exact_pi.times(LanePair<T>{where(even, copysign(Lane<T>(T(1)), away), away), Lane<T>(T(0))});
  const Lane<T> quotient = turn.sin / angle.high;
  Lane<T> f = where(quotient == 0, quotient, quotient - quotient * (angle.low / angle.high));
  double power = 1;  // pi^(k - 1)
  for (std::int64_t k = 1; k <= n; ++k, power *= pi) {
    const Lane<T> wave = k % 2 == 1 ? turn.cos : turn.sin;
    f = ((k % 4 < 2 ? power : -power) * wave - static_cast<double>(k) * f) / away;
  }
  if (any(near)) {
    // pi^(2k) x^(2k - n) (-1)^k / ((2k + 1) (2k - n)!), from the first k with 2k >= n.
    const Lane<T> v = where(near, x, 0), w = -(pi * v) * (pi * v);
    const std::int64_t first = (n + 1) / 2, odd = 2 * first - n;
    double head = first % 2 == 0 ? 1 : -1;
    for (std::int64_t i = 0; i < 2 * first; ++i) head *= pi;
    Lane<T> term = Lane<T>::fill(head);
    if (odd == 1) term *= v;
    Lane<T> sum = term / static_cast<double>(2 * first + 1);
    const std::int64_t terms = 14 + n;
    for (std::int64_t i = 1; i <= terms; ++i) {
      const auto m = static_cast<double>(2 * i + odd);
      term *= w / (m * (m - 1));
      sum += term / static_cast<double>(2 * (first + i) + 1);
    }
    f = where(near, sum, f);
  }
  return where(infinite, 0, f);
}

}  // namespace xtgrad::v1::detail
