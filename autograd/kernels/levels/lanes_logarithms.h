// Exponentials and logarithms of other bases than e on lanes.
#pragma once

#include "xtgrad/autograd/kernels/levels/lanes.h"
#include "xtgrad/autograd/kernels/levels/lanes_activation.h"
#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

template <LaneFloat T>
Lane<T> exp2(Lane<T> x) {
  static constexpr PairConstant<T> log_2(0.69314718055994530941723212145817657L);
  // Past these it is 0 or infinite; NaN passes.
  constexpr T most = LaneBits<T>::is_double ? T(1100) : T(160);
  const Lane<T> near = where(x > most, most, where(x < -most, -most, x));
  const Lane<T> k = round_small(near);
  const Lane<T> f = near - k;  // exact
  const LanePair<T> r = log_2.times(LanePair<T>{f, Lane<T>(T(0))});
  const Lane<T> p = r.high + fma(r.high * r.high, exp_tail(r.high), r.low);
  return scale(1 + p, k);
}

/// log(x) / log(base) to the last digit, so that powers of the base give whole numbers.
template <LaneFloat T>
Lane<T> log_of_base(Lane<T> x, const PairConstant<T>& inverse_log_of_base) {
  const Mask<T> inside = (x > 0) & (x < std::numeric_limits<T>::infinity());
  const LanePair<T> y = inverse_log_of_base.times(log_pair(where(inside, x, 1)));
  return log_edges(x, y.high + y.low);
}

template <LaneFloat T>
Lane<T> log2(Lane<T> x) {
  static constexpr PairConstant<T> inverse(1.44269504088896340735992468100189214L);
  return log_of_base(x, inverse);
}

template <LaneFloat T>
Lane<T> log10(Lane<T> x) {
  static constexpr PairConstant<T> inverse(0.43429448190325182765112891891660508L);
  return log_of_base(x, inverse);
}

/// log(x / (1 - x)); near 1/2, where the quotient is near 1 and would lose digits, by what it is above 1.
template <LaneFloat T>
Lane<T> logit(Lane<T> x) {
  const Mask<T> middle = (x > 0.3) & (x < 0.65);
  const Lane<T> rest = 1 - x;
  return where(middle, log1p(where(middle, 2 * x - 1, 0) / where(middle, rest, 1)),
               log(where(middle, 1, x) / where(middle, 1, rest)));
}

}  // namespace xtgrad::v1::detail
