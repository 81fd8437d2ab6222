// The derivatives of x^y in x and y, of every order, on lanes.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "xtgrad/autograd/kernels/levels/lanes.h"
#include "xtgrad/autograd/kernels/levels/level.h"
#include "xtgrad/autograd/kernels/power_slope.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

template <LaneFloat T>
LanePair<T> pair_sum(LanePair<T> a, LanePair<T> b) {
  const LanePair<T> s = two_sum(a.high, b.high);
  return fast_two_sum(s.high, s.low + (a.low + b.low));
}

template <LaneFloat T>
LanePair<T> pair_product(LanePair<T> a, LanePair<T> b) {
  const LanePair<T> p = two_product(a.high, b.high);
  return fast_two_sum(p.high, p.low + (a.high * b.low + a.low * b.high));
}

// R, by what a derivative in x adds: (y - n) R of n derivatives in x, and R's own derivative in log x.
template <LaneFloat T>
LanePair<T> power_factor(PowerOrder order, Lane<T> y, LanePair<T> log_x) {
  const auto [n, m] = order;
  const LanePair<T> one{Lane<T>(T(1)), Lane<T>(T(0))};
  if (n == 0) {
    LanePair<T> r = m == 0 ? one : log_x;
    for (int k = 1; k < m; ++k) r = pair_product(r, log_x);
    return r;
  }
  if (n == 1 && m == 0) return {y, Lane<T>(T(0))};
  const LanePair<T> less = two_sum(y, Lane<T>(static_cast<T>(1 - n)));
  const LanePair<T> r = pair_product(less, power_factor({n - 1, m}, y, log_x));
  if (m == 0) return r;
  const LanePair<T> times{Lane<T>(static_cast<T>(m)), Lane<T>(T(0))};
  return pair_sum(r, pair_product(times, power_factor({n - 1, m - 1}, y, log_x)));
}

template <LaneFloat T>
struct PowerRange {
  // Past this every x but 1 overflows or underflows, also times what R may be.
  static constexpr T y = LaneBits<T>::is_double ? T(0x1p70) : T(0x1p40);
  // So is x^(y - n) past these, of which R may bring much back: y does where it is subnormal.
  static constexpr T low = LaneBits<T>::is_double ? T(-1000) : T(-200);
  static constexpr T high = LaneBits<T>::is_double ? T(1460) : T(200);
};

// The exponent y - n is a pair, or its rounding would be magnified by log x, and R joins before the result is
// scaled: x^(y - n) alone may overflow or vanish where the derivative does not.
template <LaneFloat T>
Lane<T> power_slope(PowerOrder order, Lane<T> x, Lane<T> y) {
  using Range = PowerRange<T>;
  constexpr T inf = std::numeric_limits<T>::infinity();
  const Lane<T> a = abs(x);
  const Mask<T> edge = !((a > 0) & (a < inf) & (abs(y) < Range::y));
  const Lane<T> base = where(edge, 1, a), exponent = where(edge, 1, y);
  const LanePair<T> l = log_pair(base);
  const LanePair<T> e = two_sum(exponent, Lane<T>(static_cast<T>(-order.in_x)));
  const LanePair<T> p = two_product(e.high, l.high);
  const Lane<T> p_low = p.low + (e.high * l.low + e.low * l.high);
  const Lane<T> power =
      where(p.high > Range::high, Range::high, where(p.high < Range::low, Range::low, p.high));
  const ExpParts<T> parts = exp_parts(power, where(power == p.high, p_low, 0));

  const LanePair<T> r = power_factor(order, exponent, l);
  // Near the subnormal numbers R is lifted first, or it would be rounded as one of them.
  constexpr int digits = std::numeric_limits<T>::digits;
  constexpr T lift = T(std::int64_t(1) << digits);
  const Mask<T> tiny = abs(r.high) < std::numeric_limits<T>::min() * lift;
  const Lane<T> lifted = where(tiny, lift, Lane<T>(T(1)));
  const Lane<T> k = where(tiny, parts.k - T(digits), parts.k);
  const Lane<T> third = round_small(k * T(1.0 / 3)), step = power_of_two(third);
  const Lane<T> high = r.high * lifted * step * step, low = r.low * lifted * step * step;
  const Mask<T> finite = abs(high) < inf;
  // An infinity would meet another of its parts. The compiler may not see that it is dropped below.
  const Lane<T> part = unfused(where(finite, high, 0));
  Lane<T> slope = where(finite, part + fma(part, parts.p, low), high);
  slope = where(p.high < Range::low, 0, slope * power_of_two(k - 2 * third));

  const Lane<T> half = y * 0.5;
  const Mask<T> integer = floor(y) == y, even = floor(half) == half;
  const Mask<T> flips = order.in_x % 2 == 0 ? !even : even;  // of integers
  const bool real = order.in_y == 0;                         // not with the logarithm of a negative number
  slope = where(
      x < 0, where(integer & Mask<T>(real), where(flips, -slope, slope), std::numeric_limits<T>::quiet_NaN()),
      slope);
  const auto at_edge = [order](T u, T v) {
    return static_cast<T>(power_slope_at_edge(order, static_cast<double>(u), static_cast<double>(v)));
  };
  return any(edge) ? patch(edge, slope, at_edge, x, y) : slope;
}

}  // namespace xtgrad::v1::detail
