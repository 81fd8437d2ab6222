// e^x and e^x - 1 at once on lanes.
#pragma once

#include "xtgrad/autograd/kernels/levels/lanes.h"
#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

template <class V>
struct ExpBoth {
  V power;        // e^x
  V power_less1;  // e^x - 1, with all its digits near 0
};

template <LaneFloat T>
[[gnu::always_inline]] inline ExpBoth<Lane<T>> exp_both(Lane<T> x) {
  const ExpParts<T> e = exp_parts(ExpRange<T>::clamp(x));
  const Lane<T> power = scale(1 + e.p, e.k);
  return {power, where(e.k == 0, e.p, power - 1)};
}

/// exp, which no compiler makes a call of: that would save all registers for each lane.
template <LaneFloat T>
[[gnu::always_inline]] inline Lane<T> exp_inlined(Lane<T> x) {
  return exp_both(x).power;
}

/// The gradient of log_softmax, g - e^y sum(g), where a probability e^y near 1 is one term less itself:
/// of g - e^y g all digits are kept. `others` is the sum without g.
template <LaneFloat T>
Lane<T> log_softmax_gradient(Lane<T> g, const ExpBoth<Lane<T>>& p, Lane<T> others) {
  return -(g * p.power_less1) - p.power * others;
}

}  // namespace xtgrad::v1::detail
