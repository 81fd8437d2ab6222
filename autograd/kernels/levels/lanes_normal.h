// The standard normal distribution on lanes.
#pragma once

#include "xtgrad/autograd/kernels/levels/lanes.h"
#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

// (a + k) Phi(-a) e^(a^2 / 2) in t = (a - k) / (a + k), a >= 0: a fit at Chebyshev's points, good to 2^-60
// (2^-27) up to where Phi(-a) rounds to 0. The factors leave a function that hardly bends: Phi(-a) falls like
// e^(-a^2 / 2) / a.
template <LaneFloat T>
struct NormalTail {
  static constexpr double k = LaneBits<T>::is_double ? 6 : 5;
  static constexpr double last = LaneBits<T>::is_double ? 38.8 : 14.7;

  static Lane<T> fit(Lane<T> t) {
    if constexpr (LaneBits<T>::is_double) {
      return polynomial(t, 0.77735177189336219154, -0.70100902959086560674, 0.56896889181478353591,
                        -0.41390358577558287997, 0.26797424584166255469, -0.1526802320647728018,
                        0.075171915668814134388, -0.030985315502896314768, 0.010029820642092273614,
                        -0.0021316052531592493857, 0.000032870005655752133342, 0.00018136065093684979728,
                        -0.000064751916020020594253, 1.0748177952131140137e-6, 6.7960233087384753633e-6,
                        -1.7981147180319218313e-6, -4.2870328964499267006e-7, 3.0851109333651920721e-7,
                        6.3608025643169518504e-9, -4.2198819022057315123e-8, 2.8752588875351990133e-9,
                        5.1068537720561178294e-9, -3.0097168967206140801e-10, -3.8040598807683833836e-10);
    } else {
      return polynomial(t, 0.769193051151, -0.66538247545, 0.49530545215, -0.313534365194, 0.165022822838,
                        -0.0691029518486, 0.0207896998483, -0.00307184968817, -0.000846794081209,
                        0.000667642066228, 0.000111766112319);
    }
  }
};

/// Phi(-|x|) = factor e^(-x^2 / 2), with |x| at most `last`.
template <LaneFloat T>
struct NormalTailParts {
  Lane<T> x, factor;
  ExpParts<T> e;

  [[gnu::always_inline]] static NormalTailParts of(Lane<T> x, Lane<T> size) {
    using Tail = NormalTail<T>;
    const Lane<T> a = where(size > Tail::last, Tail::last, size);
    const Lane<T> reach = a + Tail::k;
    // a^2 / 2 reaches several hundred, and e to its power would magnify what rounding drops.
    const LanePair<T> square = two_product(a, a);
    return {copysign(a, x), Tail::fit((a - Tail::k) / reach) / reach,
            exp_parts(-0.5 * square.high, -0.5 * square.low)};
  }
};

/// Phi near 0, where this is better than the tail.
template <LaneFloat T>
[[gnu::always_inline]] inline Lane<T> normal_cdf_near_0(Lane<T> x, Lane<T> size) {
  const Lane<T> h = where(size < 1, x, 0) * 0.70710678118654752;
  return 0.5 + 0.5 * fma(h, erf_near(h * h), h);
}

template <class V>
struct NormalBoth {
  V cdf;            // Phi(x), the integral of density up to x
  V times_density;  // x e^(-x^2 / 2) / sqrt(2 pi)
};

// Both of one exponential. Below 0 Phi keeps its digits, where (1 + erf(x / sqrt(2))) / 2 has lost them all
// at x = -9 (-6). Products are scaled last, for their other factor may be subnormal. Inlined: a call would
// save all registers for each lane.
template <LaneFloat T>
[[gnu::always_inline]] inline NormalBoth<Lane<T>> normal_both(Lane<T> x) {
  const Lane<T> size = abs(x);
  const NormalTailParts<T> t = NormalTailParts<T>::of(x, size);
  const Lane<T> tail = scale(fma(t.factor, t.e.p, t.factor), t.e.k);
  const Lane<T> f = 0.39894228040143267794 * t.x;
  return {where(size < 0.8, normal_cdf_near_0(x, size), where(x > 0, 1 - tail, tail)),
          scale(fma(f, t.e.p, f), t.e.k)};
}

template <LaneFloat T>
[[gnu::always_inline]] inline Lane<T> normal_cdf(Lane<T> x) {
  return normal_both(x).cdf;
}

/// x Phi(x), scaled last as well.
template <LaneFloat T>
[[gnu::always_inline]] inline Lane<T> times_normal_cdf(Lane<T> x) {
  const Lane<T> size = abs(x);
  const NormalTailParts<T> t = NormalTailParts<T>::of(x, size);
  const Lane<T> tail = scale(t.x * fma(t.factor, t.e.p, t.factor), t.e.k);
  return where(size < 0.8, x * normal_cdf_near_0(x, size), where(x > 0, x - tail, tail));
}

}  // namespace xtgrad::v1::detail
