// Activations and their derivatives on lanes, where they are more than a formula says.
#pragma once

#include "xtgrad/autograd/kernels/levels/lanes.h"
#include "xtgrad/autograd/kernels/levels/lanes_normal.h"
#include "xtgrad/autograd/kernels/levels/lanes_power.h"
#include "xtgrad/autograd/kernels/levels/lanes_scaled.h"
#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

/// x within +-limit, where a term that vanishes faster than any power is already 0: its factor x must not be
/// infinite.
template <LaneFloat T>
[[gnu::always_inline]] inline Lane<T> within(const Lane<T>& x, double limit) {
  const Lane<T> size = abs(x);
  return copysign(where(size > limit, limit, size), x);
}

/// -2 f x e^(-f x^2), scaled last.
template <LaneFloat T>
Lane<T> gaussian_slope(const Lane<T>& x, double f) {
  const Lane<T> near = within(x, 40);
  const LanePair<T> p = two_product(near, near);
  return times_exp(-2 * f * near, LanePair<T>{-f * p.high, -f * p.low});
}

/// log(1 + e) for e in [0, 1], to log1p's bits, without what that has to ask of other numbers.
template <LaneFloat T>
Lane<T> log1p_of_fraction(Lane<T> e) {
  const Lane<T> v = 1 + e;
  return log_positive(v, (e - (v - 1)) / v);
}

/// (2 - x^2) e^(-x^2 / 2) / sqrt(2 pi).
template <LaneFloat T>
Lane<T> gelu_bend(const Lane<T>& x) {
  const Lane<T> near = within(x, 40);
  const LanePair<T> p = two_product(near, near);
  return times_exp(0.39894228040143267794 * ((2 - p.high) - p.low), LanePair<T>{-0.5 * p.high, -0.5 * p.low});
}

/// A constant in two parts, for products in pairs.
template <LaneFloat T>
struct PairConstant {
  explicit constexpr PairConstant(long double number)
      : high(static_cast<T>(number)), low(static_cast<T>(number - high)) {}
  T high, low;

  [[nodiscard]] LanePair<T> times(const LanePair<T>& a) const {
    const LanePair<T> p = two_product(a.high, Lane<T>(high));
    return {p.high, p.low + (a.high * low + a.low * high)};
  }
};

/// 2 sqrt(2 / pi) (x + 0.044715 x^3) as a pair: the sigmoid magnifies what is rounded here.
template <LaneFloat T>
LanePair<T> gelu_tanh_cubic(const Lane<T>& x) {
  static constexpr PairConstant<T> slope(1.59576912160573071175978423973752747L), bend(0.044715L);
  const LanePair<T> term = bend.times(two_product(x, x));
  const LanePair<T> sum = two_sum(Lane<T>(T(1)), term.high);
  const LanePair<T> product = two_product(x, sum.high);
  return slope.times({product.high, product.low + x * (sum.low + term.low)});
}

template <class V>
struct Gates {
  V up, down;
};

/// sigmoid(z) and sigmoid(-z) of gelu_tanh's z. Inlined, for a call would save all registers for each lane,
/// which costs as much again.
template <LaneFloat T>
[[gnu::always_inline]] inline Gates<Lane<T>> gelu_tanh_gates(const Lane<T>& x) {
  const Lane<T> near = where(x > 40, 40, where(x < -40, -40, x));  // there it is 0 or 1
  const LanePair<T> z = gelu_tanh_cubic(near);
  const Lane<T> down = where(near > 0, Lane<T>(T(-1)), Lane<T>(T(1)));
  const Lane<T> e = exp(LanePair<T>{down * z.high, down * z.low});
  const Lane<T> larger = 1 / (1 + e), smaller = e * larger;
  return {where(near < 0, smaller, larger), where(near < 0, larger, smaller)};
}

/// sigmoid(x) and sigmoid(-x) of one exponential, to the bits of each alone.
template <LaneFloat T>
[[gnu::always_inline]] inline Gates<Lane<T>> sigmoid_both(const Lane<T>& x) {
  const Lane<T> e = exp(-abs(x)), sum = 1 + e;
  const Mask<T> below = x < 0;
  return {where(below, e, 1) / sum, where(below, Lane<T>(T(1)), e) / sum};
}

/// s(x) s(-x) (2 - x tanh(x / 2)) of the sigmoid s.
template <LaneFloat T>
Lane<T> silu_bend(const Lane<T>& x) {
  const Lane<T> size = abs(within(x, 800)), e = exp(-size);
  const Lane<T> y = e / square(1 + e) * (2 - size * tanh(0.5 * size));
  const Mask<T> far = size > -faint_exp<T>;
  return any(far) ? where(far, times_exp(2 - size, -size), y) : y;
}

/// s(x) (1 + x s(-x)).
template <LaneFloat T>
[[gnu::always_inline]] inline Lane<T> silu_slope(const Lane<T>& x) {
  const Lane<T> c = within(x, 800);
  const Gates<Lane<T>> gates = sigmoid_both(c);
  const Lane<T> y = gates.up * (1 + c * gates.down);
  const Mask<T> far = c < faint_exp<T>;
  if (!any(far)) [[likely]]
    return y;
  return where(far, times_exp(1 + c, c), y);
}

/// x times a gate, a function of x that far below 0 is e^x: there the product is scaled last.
template <LaneFloat T>
[[gnu::always_inline]] inline Lane<T> times_gate(const Lane<T>& x, const Lane<T>& gate) {
  const Lane<T> y = where(x == -std::numeric_limits<T>::infinity(), -1, x) * gate;
  const Mask<T> far = x < faint_exp<T>;
  if (!any(far)) [[likely]]
    return y;
  const Lane<T> c = within(x, 800);
  return where(far, times_exp(c, c), y);
}

/// x s(x).
template <LaneFloat T>
Lane<T> silu(const Lane<T>& x) {
  return times_gate(x, sigmoid(x));
}

/// x / number, which is positive, where T may take the number for 0.
template <LaneFloat T>
Lane<T> over_not_zero(const Lane<T>& x, double number) {
  const T divisor = static_cast<T>(number);
  return x / (divisor == 0 ? std::numeric_limits<T>::denorm_min() : divisor);
}

/// tanh(softplus(x)) = n / (n + 2) with n = (1 + e^x)^2 - 1, both divided by e^2x above 0. Of e^-|x| no digit
/// is lost, and of n + 2 and n the roundings are mostly the same.
template <LaneFloat T>
[[gnu::always_inline]] inline Lane<T> mish_gate(const Lane<T>& x) {
  const Lane<T> e = exp(-abs(x));
  const Mask<T> below = x < 0;
  const Lane<T> n = where(below, e * (e + 2), 1 + 2 * e);
  return n / (n + where(below, Lane<T>(T(2)), 2 * e * e));
}

/// x tanh(softplus(x)).
template <LaneFloat T>
Lane<T> mish(const Lane<T>& x) {
  return times_gate(x, mish_gate(x));
}

/// x - tanh(x); up to 1.5 by a fit of (x - tanh(x)) / x^3 in x^2, good to 2^-57 (2^-28), for there they
/// cancel.
template <LaneFloat T>
Lane<T> tanhshrink(const Lane<T>& x) {
  const Mask<T> near = abs(x) < 1.5;
  const Lane<T> v = where(near, x, 0), z = v * v;
  Lane<T> cubic;
  if constexpr (LaneBits<T>::is_double) {
    cubic = polynomial(z, 0.33333333333333333112, -0.13333333333333237929, 0.053968253968185381814,
                       -0.021869488534187587112, 0.0088632354998548180023, -0.0035921277540073649283,
                       0.0014558326011207012836, -0.00059001940325014666206, 0.00023910229077281111706,
                       -0.000096847008094202609439, 0.00003914220880375891862, -0.000015703563724271889482,
                       6.1771641014949692352e-6, -2.3293910407337312002e-6, 8.150951228064574414e-7,
                       -2.5444851070567003644e-7, 6.7897439014642216324e-8, -1.4792390754246027144e-8,
                       2.494116187945211587e-9, -3.0257706313049602768e-10, 2.3358186817742219427e-11,
                       -8.5817314964153205508e-13);
  } else {
    cubic = polynomial(z, 0.33333333212681775117, -0.13333320308266444602, 0.053965894407742021937,
                       -0.021852539334559683425, 0.0087995051324309140544, -0.0034483700943827266649,
                       0.0012451044247740474276, -0.00037803695059110743855, 0.000085703683144580935877,
                       -0.000012379492433645699014, 8.3403174667969771846e-7);
  }
  return where(near, where(x == 0, x, v * z * cubic), x - tanh(x));
}

}  // namespace xtgrad::v1::detail
