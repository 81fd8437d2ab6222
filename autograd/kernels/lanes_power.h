// pow by a C++ number on lanes, all of whose digits count.
#pragma once

#include <cmath>

#include "xtgrad/autograd/kernels/lanes.h"

namespace xtgrad::inline v1::detail {

// e^((y + y_low) log x) for x > 0: the exponent, too, is a pair.
template <LaneFloat T>
Lane<T> pow_positive(Lane<T> x, T y, T y_low) {
  const LanePair<T> l = log_pair(x);
  const LanePair<T> p = two_product(Lane<T>(y), l.high);
  const Lane<T> exponent = ExpRange<T>::clamp(p.high);
  const Lane<T> low = where(exponent == p.high, p.low + (y * l.low + y_low * l.high), 0);
  const ExpParts<T> e = exp_parts(exponent, low);
  return scale(1 + e.p, e.k);
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

}  // namespace xtgrad::v1::detail
