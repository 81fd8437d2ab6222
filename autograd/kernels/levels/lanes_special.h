// erf, sin, cos and pow on lanes. Include lanes.h, not this file.
#pragma once

#include <cmath>

#include "xtgrad/autograd/kernels/levels/lanes_math.h"
#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

// A value twice as precise as T: the unevaluated sum high + low.
template <LaneFloat T>
struct LanePair {
  Lane<T> high, low;
};

// a + b exactly (Knuth, The Art of Computer Programming 2, 4.2.2).
template <LaneFloat T>
LanePair<T> two_sum(Lane<T> a, Lane<T> b) {
  const Lane<T> s = a + b;
  const Lane<T> t = s - a;
  return {s, (a - (s - t)) + (b - t)};
}

// a + b exactly, for |a| >= |b| or a = 0.
template <LaneFloat T>
LanePair<T> fast_two_sum(Lane<T> a, Lane<T> b) {
  const Lane<T> s = a + b;
  return {s, b - (s - a)};
}

// x itself, but the compiler no longer knows it for a product: fusing it into a later sum would count the
// rounding error of the product, which the pair carries separately, twice.
template <LaneFloat T>
Lane<T> unfused(Lane<T> x) {
#if defined(__GNUC__) && defined(__x86_64__)
  typename Lane<T>::Batch::register_type r = x.raw;
  __asm__("" : "+v"(r));
  return Lane<T>(typename Lane<T>::Batch(r));
#else
  return x;
#endif
}

// What a product p of a and b, rounded, has lost, by halves of the factors' digits (Dekker 1971).
template <LaneFloat T>
Lane<T> product_rest(Lane<T> a, Lane<T> b, Lane<T> p) {
  constexpr T splitter = T(1 + (std::int64_t(1) << ((std::numeric_limits<T>::digits + 1) / 2)));
  const Lane<T> as = a * splitter, bs = b * splitter;
  const Lane<T> ah = as - (as - a), bh = bs - (bs - b);
  const Lane<T> al = a - ah, bl = b - bh;
  return ((ah * bh - p) + ah * bl + al * bh) + al * bl;
}

// a * b exactly: by a fused multiply-add, or by halves where there is none. Not of infinities.
template <LaneFloat T>
LanePair<T> two_product(Lane<T> a, Lane<T> b) {
  const Lane<T> p = unfused(a * b);
#if defined(__FMA__) || defined(__AVX512F__) || defined(__aarch64__)
  return {p, fma(a, b, -p)};
#else
  // Factors near the range's end are halved often enough before they are split, and the rest is doubled
  // again.
  constexpr T large = std::numeric_limits<T>::max() / T(std::int64_t(1) << std::numeric_limits<T>::digits);
  const Mask<T> large_a = abs(a) > large, large_b = abs(b) > large;
  if (!any(large_a | large_b)) [[likely]]
    return {p, product_rest(a, b, p)};
  constexpr T down = T(1) / T(std::int64_t(1) << std::numeric_limits<T>::digits), up = 1 / down;
  const Lane<T> small_a = where(large_a, a * down, a), small_b = where(large_b, b * down, b);
  const Lane<T> rest = product_rest(small_a, small_b, unfused(small_a * small_b));
  return {p, rest * where(large_a, up, Lane<T>(T(1))) * where(large_b, up, Lane<T>(T(1)))};
#endif
}

// e^(high + low), |low| far below 1: the rounding of a product is magnified by its size.
template <LaneFloat T>
Lane<T> exp(LanePair<T> x) {
  const Lane<T> high = ExpRange<T>::clamp(x.high);
  const ExpParts<T> e = exp_parts(high, where(high == x.high, x.low, 0));
  return scale(1 + e.p, e.k);
}

// erf(x) / x - 1 in z = x^2, for |x| <= 1: a minimax fit, good to 2^-57 (2^-29).
template <LaneFloat T>
Lane<T> erf_near(Lane<T> z) {
  if constexpr (LaneBits<T>::is_double) {
    return polynomial(z, 0.128379167095512566, -0.376126389031835436, 0.112837916709452113,
                      -0.0268661706432735932, 0.00522397760741240621, -0.000854832598932432823,
                      0.000120552953109892589, -0.0000149247444954973145, 1.64475157334480692e-6,
                      -1.62091618415569837e-7, 1.37229185617189095e-8, -7.80108647417620609e-10);
  } else {
    return polynomial(z, 0.128379165843287332, -0.376126270677645277, 0.112835999389407076,
                      -0.0268544440132655631, 0.00518954655249923552, -0.000802102179802817455,
                      0.0000788992864270011371);
  }
}

// log(erfc(1 + u)), 0 <= u <= 5 (3): a minimax fit whose error times erfc stays below 2^-57 (2^-29).
template <LaneFloat T>
Lane<T> log_erfc(Lane<T> u) {
  if constexpr (LaneBits<T>::is_double) {
    return polynomial(u, -1.8496055099332483, -2.6389675142347731, -0.843107256359517683,
                      -0.0415610980233459673, 0.0100338251632846927, -0.00197790112503104393,
                      0.000237316086331675821, 0.0000262972564577707043, -0.0000272007367940430677,
                      9.67379582915867823e-6, -2.13435789251617608e-6, 2.06579251364281609e-7,
                      5.7071496743109013e-8, -3.30324518390805141e-8, 8.4232920167499706e-9,
                      -1.30231908294988708e-9, 1.17577409544282536e-10, -4.78339948695681272e-12);
  } else {
    return polynomial(u, -1.84960551849021837, -2.63896668601628167, -0.843119632160935858,
                      -0.041496200551599907, 0.00988417324397880522, -0.00182166589097058861,
                      0.000184456194655127711);
  }
}

template <LaneFloat T>
Lane<T> erf(Lane<T> x) {
  constexpr T saturated = LaneBits<T>::is_double ? T(6) : T(4);  // erfc is below half an ulp of 1
  const Lane<T> a = abs(x);
  const Lane<T> b = where(a < 1, a, 1);  // of infinity the terms would cancel
  const Lane<T> near = fma(b, erf_near(b * b), b);
  const Lane<T> clipped = where(a > saturated, saturated, where(a < 1, 1, a));
  const ExpParts<T> erfc = exp_parts(log_erfc(clipped - 1));
  const Lane<T> power = power_of_two(erfc.k);
  const Lane<T> far = 1 - fma(erfc.p, power, power);
  return copysign(where(a < 1, near, where(isnan(a), a, far)), x);
}

// x - k pi/2 with |k| < 2^20 (2^13). Every part of pi/2 but the last is short enough for its product with k
// to be exact (Cody and Waite 1980), and the parts reach far enough for the x nearest to a multiple of pi/2.
template <LaneFloat T>
struct QuarterTurns {
  Lane<T> k, high, low;
};

template <LaneFloat T>
struct HalfPi;
template <>
struct HalfPi<double> {
  static constexpr double limit = 1e6;
  static constexpr double parts[] = {0x1.921fb544p+0, 0x1.0b4611a4p-34, 0x1.13198a2ep-65,
                                     0x1.b839a252049c1p-104};
};
template <>
struct HalfPi<float> {
  static constexpr float limit = 1e4f;
  static constexpr float parts[] = {0x1.92p+0f, 0x1.fbp-12f, 0x1.51p-22f, 0x1.08p-34f, 0x1.a308d4p-41f};
};

template <LaneFloat T>
QuarterTurns<T> quarter_turns(Lane<T> x) {
  constexpr std::size_t last = std::size(HalfPi<T>::parts) - 1;
  const Lane<T> k = round_small(x * 0.63661977236758134);
  Lane<T> high = x - k * HalfPi<T>::parts[0];
  Lane<T> low(T(0));
  for (std::size_t i = 1; i < last; ++i) {
    const LanePair<T> sum = two_sum(high, -(k * HalfPi<T>::parts[i]));
    high = sum.high;
    low += sum.low;
  }
  const LanePair<T> r = fast_two_sum(high, low - k * HalfPi<T>::parts[last]);
  return {k, r.high, r.low};
}

// sin and cos of high + low within [-pi/4, pi/4]: Taylor, with `low` to first order.
template <LaneFloat T>
Lane<T> sin_reduced(Lane<T> high, Lane<T> low) {
  const Lane<T> z = high * high;
  Lane<T> tail;
  if constexpr (LaneBits<T>::is_double) {
    tail = polynomial(z, -1.0 / 6, 1.0 / 120, -1.0 / 5040, 1.0 / 362880, -1.0 / 39916800, 1.0 / 6227020800,
                      -1.0 / 1307674368000, 1.0 / 355687428096000);
  } else {
    tail = polynomial(z, -1.0 / 6, 1.0 / 120, -1.0 / 5040, 1.0 / 362880);
  }
  return high + fma(high * z, tail, low * (1 - 0.5 * z));
}

template <LaneFloat T>
Lane<T> cos_reduced(Lane<T> high, Lane<T> low) {
  const Lane<T> z = high * high;
  Lane<T> tail;
  if constexpr (LaneBits<T>::is_double) {
    tail = polynomial(z, 1.0 / 24, -1.0 / 720, 1.0 / 40320, -1.0 / 3628800, 1.0 / 479001600,
                      -1.0 / 87178291200, 1.0 / 20922789888000);
  } else {
    tail = polynomial(z, 1.0 / 24, -1.0 / 720, 1.0 / 40320, -1.0 / 3628800);
  }
  // 1 - z/2 is rounded, and what the rounding dropped is put back.
  const Lane<T> half = 0.5 * z;
  const Lane<T> leading = 1 - half;
  return leading + (((1 - leading) - half) + (z * z * tail - high * low));
}

// The turn after k quarter turns: bit 0 of k swaps sin and cos, bit 1 flips the sign.
template <LaneFloat T, int first>
Lane<T> sin_after(Lane<T> x) {
  using Bits = LaneBits<T>;
  using Batch = typename Bits::Batch;
  using Word = typename Bits::Word;
  const QuarterTurns<T> q = quarter_turns(x);
  const Batch turn = Bits::of(q.k + (Bits::shifter + T(first)));
  const Mask<T> swap = Bits::to_lane((turn & Batch(Word(1))) | Batch(Bits::one)) != 1;
  const Batch flip = (turn & Batch(Word(2))) << (8 * static_cast<int>(sizeof(T)) - 2);
  const Lane<T> y = where(swap, cos_reduced(q.high, q.low), sin_reduced(q.high, q.low));
  return Bits::to_lane(Bits::of(y) ^ flip);
}

template <LaneFloat T>
Lane<T> sin(Lane<T> x) {
  const Mask<T> far = !(abs(x) < HalfPi<T>::limit);
  const bool some_far = any(far);
  const Lane<T> near = some_far ? where(far, 0, x) : x;
  const Lane<T> y = where(x == 0, x, sin_after<T, 0>(near));
  return some_far ? patch(
                        far, y, [](T v) { return std::sin(v); }, x)
                  : y;
}

template <LaneFloat T>
Lane<T> cos(Lane<T> x) {
  const Mask<T> far = !(abs(x) < HalfPi<T>::limit);
  const bool some_far = any(far);
  const Lane<T> near = some_far ? where(far, 0, x) : x;
  const Lane<T> y = sin_after<T, 1>(near);
  return some_far ? patch(
                        far, y, [](T v) { return std::cos(v); }, x)
                  : y;
}

// log of a positive, finite x to some ten bits more than T has: the series of 2 atanh(s) summed in pairs.
template <LaneFloat T>
LanePair<T> log_pair(Lane<T> x) {
  constexpr T third_low = LaneBits<T>::is_double ? T(0x1.5555555555555p-55) : T(-0x1.555556p-26);
  const LogParts<T> e = log_parts(x);
  const Lane<T> f = e.m - 1, d = e.m + 1;
  const Lane<T> s = f / d;
  const LanePair<T> sd = two_product(s, d);
  const Lane<T> s_low = (((f - sd.high) - sd.low) - s * (e.m - (d - 1))) / d;
  const LanePair<T> ss = two_product(s, s);
  const Lane<T> z = ss.high, z_low = ss.low + 2 * s * s_low;
  Lane<T> q;
  if constexpr (LaneBits<T>::is_double) {
    q = polynomial(z, 2.0 / 5, 2.0 / 7, 2.0 / 9, 2.0 / 11, 2.0 / 13, 2.0 / 15, 2.0 / 17, 2.0 / 19, 2.0 / 21,
                   2.0 / 23, 2.0 / 25);
  } else {
    q = polynomial(z, 2.0 / 5, 2.0 / 7, 2.0 / 9, 2.0 / 11);
  }
  const LanePair<T> c = fast_two_sum(Lane<T>::fill(2.0 / 3), z * q);
  const LanePair<T> zc = two_product(z, c.high);
  const LanePair<T> cubic = two_product(s, zc.high);
  const Lane<T> zc_low = zc.low + z * (c.low + third_low) + z_low * c.high;
  const Lane<T> cubic_low = cubic.low + s * zc_low + s_low * zc.high;
  const LanePair<T> a = fast_two_sum(e.k * Log2Parts<T>::high, 2 * s);
  const LanePair<T> b = fast_two_sum(a.high, cubic.high);
  return fast_two_sum(b.high, (a.low + b.low) + (2 * s_low + cubic_low + e.k * Log2Parts<T>::low));
}

// e^(y log x) for x > 0; both factors carry the digits that the exponential would magnify into errors.
template <LaneFloat T>
Lane<T> pow_positive(Lane<T> x, Lane<T> y) {
  // Past this every x but 1 overflows or underflows; products of larger y would overflow in two_product.
  constexpr T y_max = LaneBits<T>::is_double ? T(0x1p70) : T(0x1p40);
  const LanePair<T> l = log_pair(x);
  const Lane<T> yc = where(y > y_max, y_max, where(y < -y_max, -y_max, y));
  const LanePair<T> p = two_product(yc, l.high);
  return exp(LanePair<T>{p.high, p.low + yc * l.low});
}

// C's pow, all special cases included.
template <LaneFloat T>
Lane<T> pow(Lane<T> x, Lane<T> y) {
  constexpr T inf = std::numeric_limits<T>::infinity();
  const Lane<T> a = abs(x);
  const Lane<T> half = y * 0.5;
  const Mask<T> integer = floor(y) == y;
  const Mask<T> odd = integer & (floor(half) != half);
  Lane<T> r = where(a == 0, where(y < 0, Lane<T>(inf), Lane<T>(T(0))), pow_positive(a, y));
  r = where(odd, copysign(r, x), r);
  r = where((x < 0) & !integer, std::numeric_limits<T>::quiet_NaN(), r);
  r = where((y == 0) | (x == 1), 1, r);
  const Mask<T> not_finite = !((a < inf) & (abs(y) < inf));
  return any(not_finite) ? patch(
                               not_finite, r, [](T u, T v) { return std::pow(u, v); }, x, y)
                         : r;
}

// Small exponents as products and roots: exact to the last rounding, and ten times cheaper.
template <LaneFloat T, Number N>
Lane<T> pow(Lane<T> x, N n) {
  const T y = static_cast<T>(n);
  if (y == 2) return x * x;
  if (y == 3) return x * x * x;
  if (y == 1) return x;
  if (y == 0) return Lane<T>(T(1));
  if (y == -1) return 1 / x;
  // pow(-0, 0.5) is 0 and pow(-inf, 0.5) is inf, unlike sqrt's.
  if (y == T(0.5)) return sqrt(where(x == -std::numeric_limits<T>::infinity(), -x, x + 0));
  return pow(x, Lane<T>(y));
}

template <LaneFloat T, Number N>
Lane<T> pow(N x, Lane<T> y) {
  return pow(Lane<T>(static_cast<T>(x)), y);
}

}  // namespace xtgrad::v1::detail
