// exp, log and their relatives on lanes. Include lanes.h, not this file.
#pragma once

#include <bit>
#include <cmath>

#include "xtgrad/autograd/kernels/levels/lanes.h"
#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

// The bit layout of T, and Lane<T>'s bits as unsigned integers.
template <LaneFloat T>
struct LaneBits {
  static constexpr bool is_double = std::same_as<T, double>;
  using Word = std::conditional_t<is_double, std::uint64_t, std::uint32_t>;
  using Batch = xsimd::batch<Word>;
  static constexpr int mantissa = std::numeric_limits<T>::digits - 1;
  static constexpr Word one = std::bit_cast<Word>(T(1));
  // Adding 1.5 * 2^mantissa rounds to the nearest integer and leaves it in the low bits.
  static constexpr T shifter = T(3) * T(Word(1) << (mantissa - 1));

  static Batch of(Lane<T> x) { return xsimd::bitwise_cast<Batch>(x.raw); }
  static Lane<T> to_lane(Batch b) { return Lane<T>(xsimd::bitwise_cast<xsimd::batch<T>>(b)); }
};

/// The 64-bit products of the lower halves of 64-bit lanes, whatever the upper ones have.
inline xsimd::batch<std::uint64_t> product_of_low_halves(xsimd::batch<std::uint64_t> a,
                                                         xsimd::batch<std::uint64_t> b) {
  using Words = xsimd::batch<std::uint64_t>;
#if defined(__AVX512F__)
  return Words(_mm512_mul_epu32(a, b));
#elif defined(__AVX2__)
  return Words(_mm256_mul_epu32(a, b));
#elif defined(__SSE2__)
  return Words(_mm_mul_epu32(a, b));
#else
  const Words low(0xffffffff);
  return (a & low) * (b & low);
#endif
}

/// True if all lanes are 0.
inline bool is_zero(xsimd::batch<std::uint64_t> words) {
  return xsimd::all(words == xsimd::batch<std::uint64_t>(0));
}

/// Whether `fma` rounds once.
#if defined(__FMA__) || defined(__AVX512F__) || defined(__ARM_FEATURE_FMA)
constexpr bool fma_rounds_once = true;
#else
constexpr bool fma_rounds_once = false;
#endif

// a b + c, rounded once where the machine has the instruction. xsimd 8 has it for AVX2 but not for AVX-512.
template <LaneFloat T>
Lane<T> fma(Lane<T> a, Lane<T> b, Lane<T> c) {
#if defined(__AVX512F__)
  if constexpr (LaneBits<T>::is_double) {
    return Lane<T>(typename Lane<T>::Batch(_mm512_fmadd_pd(a.raw, b.raw, c.raw)));
  } else {
    return Lane<T>(typename Lane<T>::Batch(_mm512_fmadd_ps(a.raw, b.raw, c.raw)));
  }
#else
  return Lane<T>(xsimd::fma(a.raw, b.raw, c.raw));
#endif
}

// c0 + c1 x + c2 x^2 + ...
template <LaneFloat T>
Lane<T> polynomial(Lane<T>, double c0) {
  return Lane<T>::fill(c0);
}

template <LaneFloat T, class... Rest>
Lane<T> polynomial(Lane<T> x, double c0, Rest... rest) {
  return fma(polynomial(x, rest...), x, Lane<T>::fill(c0));
}

// Calls f on each element where the mask is set: for arguments too rare to be worth vector code.
template <LaneFloat T, class F, class... Args>
Lane<T> patch(Mask<T> where_bad, Lane<T> y, F f, Args... x) {
  constexpr std::size_t width = Lane<T>::width;
  alignas(64) T out[width];
  alignas(64) T in[sizeof...(Args)][width];
  bool bad[width];
  y.store(out);
  std::size_t row = 0;
  (x.store(in[row++]), ...);
  where_bad.store(bad);
  for (std::size_t i = 0; i < width; ++i) {
    if (!bad[i]) continue;
    if constexpr (sizeof...(Args) == 1) {
      out[i] = f(in[0][i]);
    } else {
      out[i] = f(in[0][i], in[1][i]);
    }
  }
  return Lane<T>::load(out);
}

// The nearest integer, |x| < 2^(mantissa - 1).
template <LaneFloat T>
Lane<T> round_small(Lane<T> x) {
  return (x + LaneBits<T>::shifter) - LaneBits<T>::shifter;
}

// 2^k for an integer k within the exponents of normal numbers.
template <LaneFloat T>
Lane<T> power_of_two(Lane<T> k) {
  using Bits = LaneBits<T>;
  return Bits::to_lane((Bits::of(k + Bits::shifter) << Bits::mantissa) + typename Bits::Batch(Bits::one));
}

// x 2^k: k may pass the range of exponents, and a subnormal result is rounded once. In two steps where the
// machine has no instruction for it.
template <LaneFloat T>
Lane<T> scale(Lane<T> x, Lane<T> k) {
#if defined(__AVX512F__)
  if constexpr (LaneBits<T>::is_double) {
    return Lane<T>(typename Lane<T>::Batch(_mm512_scalef_pd(x.raw, k.raw)));
  } else {
    return Lane<T>(typename Lane<T>::Batch(_mm512_scalef_ps(x.raw, k.raw)));
  }
#else
  const Lane<T> half = round_small(k * 0.5);
  return (x * power_of_two(half)) * power_of_two(k - half);
#endif
}

// e^x = 2^k (1 + p) with |r| <= log(2)/2, r = x - k log(2) and p = e^r - 1 good to about half an ulp.
template <LaneFloat T>
struct ExpParts {
  Lane<T> k, p;
};

// (e^r - 1 - r) / r^2: Taylor, whose first term left out is below 2^-56 (2^-27) of e^r.
template <LaneFloat T>
Lane<T> exp_tail(Lane<T> r) {
  if constexpr (LaneBits<T>::is_double) {
    return polynomial(r, 1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320,
                      1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800);
  } else {
    return polynomial(r, 1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040);
  }
}

// log(2) in two parts; the first has enough trailing zeros for k * high to be exact.
template <LaneFloat T>
struct Log2Parts;
template <>
struct Log2Parts<double> {
  static constexpr double high = 0x1.62e42feep-1, low = 0x1.a39ef35793c76p-33;
};
template <>
struct Log2Parts<float> {
  static constexpr float high = 0x1.62ep-1f, low = 0x1.0bfbe8p-15f;
};

// |x| must be at most about 1100 (double) or 150 (float); `x_low` is added to x at full precision.
template <LaneFloat T>
[[gnu::always_inline]] inline ExpParts<T> exp_parts(Lane<T> x, Lane<T> x_low = Lane<T>(T(0))) {
  const Lane<T> k = round_small(x * 1.4426950408889634);
  const Lane<T> high = x - k * Log2Parts<T>::high;
  const Lane<T> low = x_low - k * Log2Parts<T>::low;
  const Lane<T> r = high + low;
  const Lane<T> lost = (high - r) + low;
  return {k, r + fma(r * r, exp_tail(r), lost)};
}

template <LaneFloat T>
struct ExpRange {
  // Past these e^x is 0 or infinite in T; NaN passes through `clamp`.
  static constexpr T low = LaneBits<T>::is_double ? T(-746) : T(-105);
  static constexpr T high = LaneBits<T>::is_double ? T(710) : T(89);
  static Lane<T> clamp(Lane<T> x) { return where(x > high, high, where(x < low, low, x)); }
};

template <LaneFloat T>
[[gnu::always_inline]] inline Lane<T> exp(Lane<T> x) {
  const ExpParts<T> e = exp_parts(ExpRange<T>::clamp(x));
  return scale(1 + e.p, e.k);
}

template <LaneFloat T>
Lane<T> expm1(Lane<T> x) {
  constexpr T nothing_left = LaneBits<T>::is_double ? T(-40) : T(-20);  // e^x - 1 rounds to -1
  const ExpParts<T> e = exp_parts(where(x < nothing_left, nothing_left, ExpRange<T>::clamp(x)));
  // 2^k (p + (1 - 2^-k)) does not cancel; 2^-k is below the last digit long before k is clipped.
  const Lane<T> inverse = power_of_two(where(e.k > 126, Lane<T>(T(-126)), -e.k));
  const Lane<T> y = scale(e.p + (1 - inverse), e.k);
  return where(x == 0, x, y);
}

// (e^2|x| - 1) / (e^2|x| + 1), or 1 - 2 / (e^2|x| + 1) where that is above a half, so that only a small term
// is rounded. Both are divided by 2^k: no cancellation near 0, no overflow far out.
template <LaneFloat T>
[[gnu::always_inline]] inline Lane<T> tanh(Lane<T> x) {
  constexpr T saturated = LaneBits<T>::is_double ? T(20) : T(10);
  const Lane<T> a = abs(x);
  const Mask<T> small = a < 0.55;
  const ExpParts<T> e = exp_parts(2 * where(a > saturated, saturated, a));
  const Lane<T> inverse = power_of_two(-e.k);
  const Lane<T> q = where(small, e.p + (1 - inverse), 2 * inverse) / (e.p + (1 + inverse));
  return copysign(where(small, q, 1 - q), x);
}

// 1 / (1 + e^-x), or e^x / (1 + e^x) for negative x, whose small values keep their digits.
template <LaneFloat T>
[[gnu::always_inline]] inline Lane<T> sigmoid(Lane<T> x) {
  const Lane<T> e = exp(-abs(x));
  return where(x < 0, e, 1) / (1 + e);
}

// x = 2^k m with m in [sqrt(1/2), sqrt(2)); x positive and finite.
template <LaneFloat T>
struct LogParts {
  Lane<T> k, m;
};

template <LaneFloat T>
LogParts<T> log_parts(Lane<T> x) {
  using Bits = LaneBits<T>;
  using Word = typename Bits::Word;
  using Batch = typename Bits::Batch;
  constexpr int digits = Bits::mantissa;
  constexpr Word bias = Word(1) << (Bits::is_double ? 10 : 7);  // keeps the shifted exponent positive
  constexpr Word sqrt_half = std::bit_cast<Word>(static_cast<T>(0.70710678118654752));
  const Mask<T> subnormal = x < std::numeric_limits<T>::min();
  const Batch bits = Bits::of(where(subnormal, x * T(Word(1) << (digits + 2)), x));
  const Batch exponent = (bits - Batch(sqrt_half) + Batch(bias << digits)) >> digits;
  const Lane<T> m = Bits::to_lane(bits - ((exponent - Batch(bias)) << digits));
  // Integer to floating point through the low digits of 2^mantissa.
  constexpr T two_digits = T(Word(1) << digits);
  const Lane<T> k = Bits::to_lane(exponent | Batch(std::bit_cast<Word>(two_digits))) - (two_digits + T(bias));
  return {where(subnormal, k - (digits + 2), k), m};
}

// (log(m) - 2s) / s for s = (m - 1) / (m + 1), z = s^2 <= 0.0295: the series of 2 atanh(s).
template <LaneFloat T>
Lane<T> log_tail(Lane<T> z) {
  if constexpr (LaneBits<T>::is_double) {
    return z * polynomial(z, 2.0 / 3, 2.0 / 5, 2.0 / 7, 2.0 / 9, 2.0 / 11, 2.0 / 13, 2.0 / 15, 2.0 / 17,
                          2.0 / 19, 2.0 / 21);
  } else {
    return z * polynomial(z, 2.0 / 3, 2.0 / 5, 2.0 / 7, 2.0 / 9);
  }
}

// log(x) + extra for positive, finite x and a small `extra`.
template <LaneFloat T>
[[gnu::always_inline]] inline Lane<T> log_positive(Lane<T> x, Lane<T> extra) {
  const LogParts<T> e = log_parts(x);
  const Lane<T> f = e.m - 1;
  const Lane<T> s = f / (2 + f);
  const Lane<T> half_square = 0.5 * f * f;
  // 2s = f - s f = f - f^2/2 + s f^2/2: the leading f is exact, and only smaller terms are rounded.
  const Lane<T> rest = s * (half_square + log_tail(s * s)) + (e.k * Log2Parts<T>::low + extra);
  return e.k * Log2Parts<T>::high + (f - (half_square - rest));
}

template <LaneFloat T>
Lane<T> log_edges(Lane<T> x, Lane<T> y) {
  constexpr T inf = std::numeric_limits<T>::infinity();
  const Lane<T> special = where(x == 0, -inf, where(x == inf, inf, std::numeric_limits<T>::quiet_NaN()));
  return where((x > 0) & (x < inf), y, special);
}

template <LaneFloat T>
Lane<T> log(Lane<T> x) {
  return log_edges(x, log_positive(x, Lane<T>(T(0))));
}

// log(u) + c / u, where u = 1 + x rounded and c what the rounding dropped.
template <LaneFloat T>
Lane<T> log1p(Lane<T> x) {
  const Lane<T> u = 1 + x;
  // Of infinity log_edges knows; its difference with itself would be an invalid operation.
  const Lane<T> finite = where(x == std::numeric_limits<T>::infinity(), 0, x);
  const Lane<T> v = 1 + finite;
  const Lane<T> c = where(finite > 1, 1 - (v - finite), finite - (v - 1));
  return where(x == 0, x, log_edges(u, log_positive(v, c / where(v == 0, 1, v))));
}

}  // namespace xtgrad::v1::detail
