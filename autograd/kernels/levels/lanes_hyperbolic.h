// Hyperbolic functions and their inverses on lanes; tanh is in lanes_math.h.
#pragma once

#include "xtgrad/autograd/kernels/levels/lanes.h"
#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

/// From here on e^-x is below half an ulp of e^x.
template <LaneFloat T>
constexpr T one_exponential = LaneBits<T>::is_double ? T(22) : T(11);

/// e^x / 2 of an x >= 0, also where e^x alone is infinite.
template <LaneFloat T>
Lane<T> half_exp(Lane<T> x) {
  constexpr T most = LaneBits<T>::is_double ? T(712) : T(91);
  const ExpParts<T> e = exp_parts(where(x > most, most, x));
  return scale(1 + e.p, e.k - 1);
}

template <LaneFloat T>
Lane<T> sinh(Lane<T> x) {
  const Lane<T> a = abs(x);
  const Mask<T> far = a > one_exponential<T>;
  const Lane<T> e = expm1(where(far, 0, a));
  return copysign(where(far, half_exp(a), 0.5 * (e + e / (1 + e))), x);
}

template <LaneFloat T>
Lane<T> cosh(Lane<T> x) {
  const Lane<T> a = abs(x);
  const Mask<T> far = a > one_exponential<T>;
  const Lane<T> e = exp(where(far, 0, a));
  return where(far, half_exp(a), 0.5 * e + 0.5 / e);
}

/// log(2 x) of a large x.
template <LaneFloat T>
Lane<T> log_of_double(Lane<T> x) {
  return log(x) + 0.69314718055994530942;
}

/// Past this 1 is nothing beside x^2, which then need not be a number.
template <LaneFloat T>
constexpr T far_from_one = LaneBits<T>::is_double ? T(1e9) : T(1e5);

// asinh(x) = log(x + sqrt(x^2 + 1)), by what the argument is above 1.
template <LaneFloat T>
Lane<T> asinh(Lane<T> x) {
  const Lane<T> a = abs(x);
  const Mask<T> far = a > far_from_one<T>;
  const Lane<T> v = where(far, 0, a), w = v * v;
  const Lane<T> near = log1p(v + w / (1 + sqrt(1 + w)));
  return copysign(where(far, log_of_double(where(far, a, 1)), near), x);
}

template <LaneFloat T>
Lane<T> acosh(Lane<T> x) {
  const Mask<T> far = x > far_from_one<T>;
  const Lane<T> v = where(far, 1, x) - 1;
  const Lane<T> near = log1p(v + sqrt(v * (v + 2)));
  // Below -1 the root's argument is positive again.
  const Lane<T> inside = where(x < 1, std::numeric_limits<T>::quiet_NaN(), near);
  return where(far, log_of_double(where(far, x, 1)), inside);
}

template <LaneFloat T>
Lane<T> atanh(Lane<T> x) {
  const Lane<T> a = abs(x);
  return copysign(0.5 * log1p(2 * a / (1 - a)), x);
}

}  // namespace xtgrad::v1::detail
