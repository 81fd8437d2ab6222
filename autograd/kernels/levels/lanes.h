// A SIMD register as a plain value: generic formulas run on Lane<T> when nothing records, on Tensor when it
// does.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

// g++ 12 takes the don't-care operands of its own AVX-512 intrinsics for uninitialized variables.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <xsimd/xsimd.hpp>
#pragma GCC diagnostic pop

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

template <class N>
concept Number = std::is_arithmetic_v<N>;

template <class T>
concept LaneFloat = std::same_as<T, float> || std::same_as<T, double>;

template <LaneFloat T>
struct Lane;

// One truth value per element of a Lane<T>; feed it to `where`, never to arithmetic.
template <LaneFloat T>
struct Mask {
  using Batch = xsimd::batch_bool<T>;
  static constexpr std::size_t width = xsimd::batch<T>::size;

  Batch raw;

  Mask() = default;
  explicit Mask(bool b) : raw(b) {}
  explicit Mask(Batch b) : raw(b) {}

  static Mask load(const bool* p) { return Mask(Batch::load_unaligned(p)); }
  void store(bool* p) const { raw.store_unaligned(p); }

  friend Mask operator&(Mask a, Mask b) { return Mask(a.raw & b.raw); }
  friend Mask operator|(Mask a, Mask b) { return Mask(a.raw | b.raw); }
  // On masks "differs" is exclusive or; batch_bool has no ^ on every architecture.
  friend Mask operator^(Mask a, Mask b) { return Mask((a.raw & ~b.raw) | (~a.raw & b.raw)); }
  friend Mask operator!(Mask a) { return Mask(~a.raw); }
  friend bool any(Mask a) { return xsimd::any(a.raw); }
  friend bool all(Mask a) { return xsimd::all(a.raw); }

  friend Lane<T> where(Mask m, Lane<T> a, Lane<T> b) { return Lane<T>(xsimd::select(m.raw, a.raw, b.raw)); }
  template <Number N>
  friend Lane<T> where(Mask m, Lane<T> a, N b) {
    return where(m, a, Lane<T>(static_cast<T>(b)));
  }
  template <Number N>
  friend Lane<T> where(Mask m, N a, Lane<T> b) {
    return where(m, Lane<T>(static_cast<T>(a)), b);
  }
  template <Number N, Number M>
  friend Lane<T> where(Mask m, N a, M b) {
    return where(m, Lane<T>(static_cast<T>(a)), Lane<T>(static_cast<T>(b)));
  }
};

template <LaneFloat T>
struct Lane {
  using value_type = T;
  using Batch = xsimd::batch<T>;
  static constexpr std::size_t width = Batch::size;

  Batch raw;

  Lane() = default;
  explicit Lane(T x) : raw(x) {}
  explicit Lane(Batch b) : raw(b) {}
  static Lane fill(double x) { return Lane(static_cast<T>(x)); }

  // Any address will do; `p` must have `width` readable (writable) elements.
  static Lane load(const T* p) { return Lane(Batch::load_unaligned(p)); }
  void store(T* p) const { raw.store_unaligned(p); }

  friend Lane operator+(Lane a) { return a; }
  // xsimd 8's own minus is 0 - a on AVX-512, which turns 0 into 0 rather than -0.
  friend Lane operator-(Lane a) { return Lane(Batch(T(-0.0)) - a.raw); }
  friend Lane operator+(Lane a, Lane b) { return Lane(a.raw + b.raw); }
  friend Lane operator-(Lane a, Lane b) { return Lane(a.raw - b.raw); }
  friend Lane operator*(Lane a, Lane b) { return Lane(a.raw * b.raw); }
  friend Lane operator/(Lane a, Lane b) { return Lane(a.raw / b.raw); }
  Lane& operator+=(Lane b) { return *this = *this + b; }
  Lane& operator-=(Lane b) { return *this = *this - b; }
  Lane& operator*=(Lane b) { return *this = *this * b; }
  Lane& operator/=(Lane b) { return *this = *this / b; }

  friend Mask<T> operator<(Lane a, Lane b) { return Mask<T>(a.raw < b.raw); }
  friend Mask<T> operator<=(Lane a, Lane b) { return Mask<T>(a.raw <= b.raw); }
  friend Mask<T> operator>(Lane a, Lane b) { return Mask<T>(b.raw < a.raw); }
  friend Mask<T> operator>=(Lane a, Lane b) { return Mask<T>(b.raw <= a.raw); }
  friend Mask<T> operator==(Lane a, Lane b) { return Mask<T>(a.raw == b.raw); }
  // xsimd 8's own != is false for NaN on AVX-512.
  friend Mask<T> operator!=(Lane a, Lane b) { return !(a == b); }
};

// A number becomes a T here, so a formula's literals neither widen float to double nor cost double its
// digits.
// NOLINTBEGIN(bugprone-macro-parentheses): a template's name and an operator stand in none.
#define XTGRAD_LANE_NUMBER_OPERATOR(result, op) \
  template <LaneFloat T, Number N>              \
  result<T> operator op(Lane<T> a, N b) {       \
    return a op Lane<T>(static_cast<T>(b));     \
  }                                             \
  template <LaneFloat T, Number N>              \
  result<T> operator op(N a, Lane<T> b) {       \
    return Lane<T>(static_cast<T>(a)) op b;     \
  }
XTGRAD_LANE_NUMBER_OPERATOR(Lane, +)
XTGRAD_LANE_NUMBER_OPERATOR(Lane, -)
XTGRAD_LANE_NUMBER_OPERATOR(Lane, *)
XTGRAD_LANE_NUMBER_OPERATOR(Lane, /)
XTGRAD_LANE_NUMBER_OPERATOR(Mask, <)
XTGRAD_LANE_NUMBER_OPERATOR(Mask, <=)
XTGRAD_LANE_NUMBER_OPERATOR(Mask, >)
XTGRAD_LANE_NUMBER_OPERATOR(Mask, >=)
XTGRAD_LANE_NUMBER_OPERATOR(Mask, ==)
XTGRAD_LANE_NUMBER_OPERATOR(Mask, !=)
#undef XTGRAD_LANE_NUMBER_OPERATOR
// NOLINTEND(bugprone-macro-parentheses)

template <LaneFloat T>
Lane<T> abs(Lane<T> x) {
  return Lane<T>(xsimd::abs(x.raw));
}

template <LaneFloat T>
Lane<T> sqrt(Lane<T> x) {
  return Lane<T>(xsimd::sqrt(x.raw));
}

/// 1 / sqrt(x), of two roundings.
template <LaneFloat T>
Lane<T> rsqrt(Lane<T> x) {
  return 1 / sqrt(x);
}

/// Sum of the elements, by halves.
template <LaneFloat T>
T sum_of(Lane<T> x) {
  return xsimd::hadd(x.raw);
}

template <LaneFloat T>
Lane<T> copysign(Lane<T> magnitude, Lane<T> sign) {
  return Lane<T>(xsimd::copysign(magnitude.raw, sign.raw));
}

template <LaneFloat T>
Lane<T> floor(Lane<T> x) {
#if defined(__SSE2__) && !defined(__SSE4_1__)
  // xsimd 8 goes by way of an integer, which raises FE_INVALID for what none holds, and turns -0 into 0.
  // Large numbers have no fraction.
  constexpr T large = T(std::int64_t{1} << (std::numeric_limits<T>::digits - 1));
  const Mask<T> has_fraction = abs(x) < large;
  return where(has_fraction, copysign(Lane<T>(xsimd::floor(where(has_fraction, x, 0).raw)), x), x);
#else
  return copysign(Lane<T>(xsimd::floor(x.raw)), x);
#endif
}

template <LaneFloat T>
Lane<T> square(Lane<T> x) {
  return x * x;
}

template <LaneFloat T>
Mask<T> isnan(Lane<T> x) {
  return x != x;
}

template <LaneFloat T>
Mask<T> isinf(Lane<T> x) {
  return abs(x) == std::numeric_limits<T>::infinity();
}

// 0 for 0 and for -0, NaN for NaN.
template <LaneFloat T>
Lane<T> sign(Lane<T> x) {
  return where(x > 0, 1, where(x < 0, -1, x + 0));  // -0 + 0 is 0
}

// NaN in either operand gives NaN, as in NumPy: the machine's own max returns one fixed operand instead.
template <LaneFloat T>
Lane<T> maximum(Lane<T> a, Lane<T> b) {
  return where((a > b) | isnan(a), a, b);
}

template <LaneFloat T>
Lane<T> minimum(Lane<T> a, Lane<T> b) {
  return where((a < b) | isnan(a), a, b);
}

template <LaneFloat T, Number N>
Lane<T> maximum(Lane<T> a, N b) {
  return maximum(a, Lane<T>(static_cast<T>(b)));
}

template <LaneFloat T, Number N>
Lane<T> maximum(N a, Lane<T> b) {
  return maximum(Lane<T>(static_cast<T>(a)), b);
}

template <LaneFloat T, Number N>
Lane<T> minimum(Lane<T> a, N b) {
  return minimum(a, Lane<T>(static_cast<T>(b)));
}

template <LaneFloat T, Number N>
Lane<T> minimum(N a, Lane<T> b) {
  return minimum(Lane<T>(static_cast<T>(a)), b);
}

}  // namespace xtgrad::v1::detail

#include "xtgrad/autograd/kernels/levels/lanes_math.h"
#include "xtgrad/autograd/kernels/levels/lanes_special.h"
#include "xtgrad/autograd/kernels/levels/level.h"
