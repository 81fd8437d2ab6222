// Exponentials, powers and bounds by a C++ number on lanes, all of whose digits count.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "xtgrad/autograd/kernels/levels/lanes.h"
#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

// e^((y + y_low) log x) for x > 0: the exponent, too, is a pair.
template <LaneFloat T>
Lane<T> pow_positive(Lane<T> x, T y, T y_low) {
  const LanePair<T> l = log_pair(x);
  const LanePair<T> p = two_product(Lane<T>(y), l.high);
  return exp(LanePair<T>{p.high, p.low + (y * l.low + y_low * l.high)});
}

// x^y. A float's power magnifies an exponent's rounding by log(x^y), which may be 88: y stays a double.
template <LaneFloat T>
Lane<T> power(Lane<T> x, double y) {
  const T rounded = static_cast<T>(y);
  constexpr double y_max = 0x1p40;  // past this every x but 1 overflows or underflows
  if (rounded == y || !(std::abs(y) < y_max)) return pow(x, y);
  const Lane<T> a = abs(x);
  Lane<T> r = pow_positive(a, rounded, static_cast<T>(y - static_cast<double>(rounded)));
  r = where(a == 0, y < 0 ? std::numeric_limits<T>::infinity() : T(0), r);
  if (std::floor(y) != y) {
    r = where(x < 0, std::numeric_limits<T>::quiet_NaN(), r);
  } else if (std::fmod(y, 2) != 0) {
    r = copysign(r, x);
  }
  const Mask<T> not_finite = !(a < std::numeric_limits<T>::infinity());
  const auto exactly = [y](T v) { return static_cast<T>(std::pow(static_cast<double>(v), y)); };
  return any(not_finite) ? patch(not_finite, r, exactly, x) : r;
}

// e^(c x). The rounding of c and that of the product would be magnified by the product.
template <LaneFloat T>
Lane<T> exp_of_product(double c, Lane<T> x) {
  constexpr double largest = std::numeric_limits<T>::max();
  c = std::clamp(c, -largest, largest);
  const T rounded = static_cast<T>(c);
  if (rounded == 0) return exp(where(isinf(x), x * static_cast<T>(std::copysign(1, c)), 0));
  const Lane<T> rough = rounded * x;
  if (std::abs(c) == 1) return exp(rough);
  // Far out the result is 0, infinite or NaN, and an infinity's product has no rounding to be told.
  const Mask<T> far = !(abs(rough) < T(1000));
  const Lane<T> near = where(far, 0, x);
  const LanePair<T> p = two_product(Lane<T>(rounded), near);
  return exp(LanePair<T>{where(far, rough, p.high), p.low + near * static_cast<T>(c - rounded)});
}

// c^x. The base's rounding would be magnified by x: its logarithm is that of the double.
template <LaneFloat T>
Lane<T> power(double c, Lane<T> x) {
  if (static_cast<T>(c) == c || !std::isfinite(c)) return pow(Lane<T>(static_cast<T>(c)), x);
  // Here T is float: the logarithm has more digits than float, and is neither 0 nor infinite.
  const double l = std::log(std::abs(c));
  const T high = static_cast<T>(l);
  const T most = static_cast<T>(std::min(1000 / std::abs(l), 1e30));  // past this the result is 0 or infinite
  const Lane<T> near = where(x > most, most, where(x < -most, -most, x));
  const LanePair<T> p = two_product(Lane<T>(high), near);
  Lane<T> r = exp(LanePair<T>{p.high, p.low + near * static_cast<T>(l - high)});
  if (c < 0) {
    const Lane<T> half = x * 0.5;
    const Mask<T> integer = floor(x) == x;
    r = where(integer & (floor(half) != half), -r, r);
    r = where(integer | isnan(x), r, std::numeric_limits<T>::quiet_NaN());
  }
  return r;
}

// e^(-f x^2), f a power of two.
template <LaneFloat T>
Lane<T> gaussian(Lane<T> x, double f) {
  constexpr T nothing_left = 40;  // of f = 1/2 and of every larger one
  const Lane<T> a = abs(x);
  const Lane<T> near = where(a > nothing_left, nothing_left, a);
  const LanePair<T> p = two_product(near, near);
  return exp(LanePair<T>{-f * p.high, -f * p.low});
}

// x > number, where T may not hold the number.
template <LaneFloat T>
Mask<T> is_above(Lane<T> x, double number) {
  const T rounded = static_cast<T>(number);
  return rounded > number ? x >= rounded : x > rounded;
}

}  // namespace xtgrad::v1::detail
