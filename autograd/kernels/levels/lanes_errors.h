// The complementary error function, its scaled form and inverse, and log(Phi), on lanes.
#pragma once

#include <cstdint>

#include "xtgrad/autograd/kernels/levels/lanes.h"
#include "xtgrad/autograd/kernels/levels/lanes_normal.h"
#include "xtgrad/autograd/kernels/levels/lanes_scaled.h"
#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

/// e^(x^2) erfc(x) of an x from 0 to this: 2 fit(t) / (a + k) of the normal tail's a = sqrt(2) x, which is
/// rounded where the function hardly bends.
template <LaneFloat T>
constexpr T last_fitted_erfcx = LaneBits<T>::is_double ? T(27.4) : T(10.3);

template <LaneFloat T>
[[gnu::always_inline]] inline Lane<T> erfcx_by_fit(Lane<T> x) {
  using Tail = NormalTail<T>;
  const Lane<T> a = 1.4142135623730950488 * x;
  return 2 * Tail::fit((a - Tail::k) / (a + Tail::k)) / (a + Tail::k);
}

/// erfc(x), which beyond 0 keeps the digits that 1 - erf(x) has lost.
template <LaneFloat T>
Lane<T> erfc(Lane<T> x) {
  const Lane<T> size = abs(x), a = where(size > last_fitted_erfcx<T>, last_fitted_erfcx<T>, size);
  const LanePair<T> square = two_product(a, a);
  const Lane<T> tail = times_exp(erfcx_by_fit(a), LanePair<T>{-square.high, -square.low});
  const Lane<T> far = where(x < 0, 2 - tail, tail);
  return where(a < 0.5, 1 - erf(where(a < 0.5, x, 0)), far);
}

/// e^(x^2), without what the exponential would make of the square's rounding.
template <LaneFloat T>
Lane<T> exp_of_square(const Lane<T>& x) {
  const Lane<T> size = abs(x), a = where(size > 40, 40, size);
  return exp(two_product(a, a));
}

/// e^(x^2) erfc(x): far out 1 / (sqrt(pi) x) (1 - w + 3 w^2 - 15 w^3 ...) with w = 1 / (2 x^2), and below 0
/// 2 e^(x^2) less that of -x.
template <LaneFloat T>
Lane<T> erfcx(Lane<T> x) {
  const Lane<T> a = abs(x);
  const Mask<T> far = a > last_fitted_erfcx<T>;
  const Lane<T> v = where(far, a, 1), w = 0.5 / v / v;
  const Lane<T> series = polynomial(w, 1, -1, 3, -15, 105, -945, 10395, -135135);
  const Lane<T> size = where(far, 0.56418958354775628695 / v * series, erfcx_by_fit(where(far, 0, a)));
  return where(x < 0, 2 * exp_of_square(x) - size, where(isnan(x), x, size));
}

/// The n-th derivative of erfcx, (-2)^n E_n with E_n(x) = 2 / sqrt(pi) times the integral of
/// t^n e^(-t^2 - 2 x t) from 0 on: by 2 E_(n+1) = n E_(n-1) - 2 x E_n up from E_0 where that is stable, and
/// else by the ratios of neighbours, from a distant one down (Gautschi 1961).
template <LaneFloat T>
Lane<T> erfcx_derivative(const Lane<T>& x, std::int64_t n) {
  const Mask<T> down = x >= 1;
  Lane<T> before = erfcx(x), value = before;
  const Lane<T> v = where(down, 0, x);
  for (std::int64_t k = 0; k < n; ++k) {
    // E_1 = 1 / sqrt(pi) - x E_0.
    const Lane<T> next =
        k == 0 ? 0.56418958354775628695 - v * value : 0.5 * static_cast<double>(k) * before - v * value;
    before = value;
    value = next;
  }
  if (any(down)) {
    const Lane<T> u = where(down, x, 2);
    const std::int64_t first = n + (any(u < 2) ? 130 : 45);
    // The ratio that a constant n would have.
    Lane<T> ratio = static_cast<double>(first) / (u + sqrt(u * u + 2.0 * static_cast<double>(first)));
    Lane<T> product(T(1));
    for (std::int64_t k = first - 1; k >= 1; --k) {
      ratio = 0.5 * static_cast<double>(k) / (u + ratio);
      if (k <= n) product *= ratio;
    }
    value = where(down, product * erfcx(u), value);
  }
  for (std::int64_t k = 0; k < n; ++k) value = -2 * value;
  return value;
}

/// A first guess at the inverse error function, good to 2^-22, in w = -log(1 - x^2).
template <LaneFloat T>
Lane<T> erfinv_guess(Lane<T> a) {
  const Lane<T> w = -log((1 - a) * (1 + a)), s = sqrt(w);
  const Lane<T> near = polynomial(
      w, 0.88622692420116819633, 0.23201371276215606408, 0.011549165116928054224, -0.0023352705948700604568,
      -0.00012653947431277757063, 0.000044048804326318021816, 4.1506632365765440111e-6,
      -2.0082713391606778304e-6, 2.2430430152588049194e-7, -8.931925970230149588e-9);
  const Lane<T> far =
      polynomial(s, -5.0451002097389224182, 20.562554305879751236, -31.406822962097825648,
                 28.502430794043056499, -16.728394602517973211, 6.7782029074105526848, -1.9585808365798905378,
                 0.40847741299606716559, -0.06120653796961823128, 0.0064391753892200443283,
                 -0.00045214108035139913366, 0.000019046816558010019679, -3.6434517005877460446e-7);
  return a * where(w < 5, near, far);
}

/// The inverse of erf: a guess, and one step of Halley's, which has three times its digits. What is left is
/// taken from erfc where 1 - |x| says more than |x|.
template <LaneFloat T>
Lane<T> erfinv(Lane<T> x) {
  const Lane<T> size = abs(x);
  const Mask<T> inside = size < 1;
  const Lane<T> a = where(inside, size, 0.5), y = erfinv_guess(a);
  const Mask<T> upper = a > 0.5;
  const Lane<T> rest = where(upper, (1 - a) - erfc(where(upper, y, 1)), erf(where(upper, 0, y)) - a);
  const Lane<T> u = 0.88622692545275801365 * rest * exp_of_square(y);
  const Lane<T> better = y - u / (1 + y * u);
  constexpr T inf = std::numeric_limits<T>::infinity();
  const Lane<T> outside = where(size == 1, inf, std::numeric_limits<T>::quiet_NaN());
  return copysign(where(inside, where(a == 0, a, better), outside), x);
}

/// log(Phi(x)): below -0.7, towards where Phi vanishes, by e^(x^2 / 2) Phi(x), which does not. Up to there 1
/// - Phi is nearer, whose fit around 0 has the smaller error.
template <LaneFloat T>
Lane<T> log_ndtr(Lane<T> x) {
  constexpr T inf = std::numeric_limits<T>::infinity();
  const Mask<T> below = x < -0.7, end = x == -inf;
  const Lane<T> v = where(below & !end, x, -1);
  const Lane<T> low = log(0.5 * erfcx(v * -0.70710678118654752440)) - 0.5 * v * v;
  const Lane<T> high = log1p(-normal_cdf(where(below, 0, -x)));
  return where(below, where(end, -inf, low), high);
}

}  // namespace xtgrad::v1::detail
