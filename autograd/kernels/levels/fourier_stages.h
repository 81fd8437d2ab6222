// Transforms of as many columns as a lane has numbers: each number of a lane has a column of its own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "xtgrad/autograd/kernels/fourier_plan.h"
#include "xtgrad/autograd/kernels/levels/lanes.h"
#include "xtgrad/autograd/kernels/levels/lanes_pairs.h"
#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

/// Complex numbers: a lane of real and one of imaginary parts, which lie one behind the other.
template <LaneFloat T>
struct Complex {
  static constexpr std::int64_t size = 2 * static_cast<std::int64_t>(Lane<T>::width);

  Lane<T> re, im;

  static Complex load(const T* p) { return {Lane<T>::load(p), Lane<T>::load(p + Lane<T>::width)}; }
  void store(T* p) const {
    re.store(p);
    im.store(p + Lane<T>::width);
  }
  /// Of pairs in memory, of which there are `width`.
  static Complex load_pairs(const T* p) {
    const auto both = TwoLanes<T>::load(p);
    return {evens(both), odds(both)};
  }
  void store_pairs(T* p) const { interleave(re, im).store(p); }

  [[nodiscard]] Complex swapped() const { return {im, re}; }
  /// -i times this.
  [[nodiscard]] Complex turned() const { return {im, -re}; }
  [[nodiscard]] Complex conj() const { return {re, -im}; }

  friend Complex operator+(const Complex& a, const Complex& b) { return {a.re + b.re, a.im + b.im}; }
  friend Complex operator-(const Complex& a, const Complex& b) { return {a.re - b.re, a.im - b.im}; }
  friend Complex operator*(const Complex& a, const Complex& b) {
    return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
  }
  friend Complex operator*(const Complex& a, Lane<T> b) { return {a.re * b, a.im * b}; }
};

/// a + (-i) b and a - (-i) b, without a negation.
template <LaneFloat T>
inline Complex<T> plus_turned(const Complex<T>& a, const Complex<T>& b) {
  return {a.re + b.im, a.im - b.re};
}
template <LaneFloat T>
inline Complex<T> minus_turned(const Complex<T>& a, const Complex<T>& b) {
  return {a.re - b.im, a.im + b.re};
}

// Transforms of as many points as x has, in place and in order.

template <LaneFloat T>
[[gnu::always_inline]] inline void butterfly(std::array<Complex<T>, 2>& x, const T*) {
  const Complex<T> a = x[0];
  x[0] = a + x[1];
  x[1] = a - x[1];
}

template <LaneFloat T>
[[gnu::always_inline]] inline void butterfly(std::array<Complex<T>, 4>& x, const T*) {
  const Complex<T> a = x[0] + x[2], b = x[0] - x[2], c = x[1] + x[3], d = x[1] - x[3];
  x = {a + c, plus_turned(b, d), a - c, minus_turned(b, d)};
}

template <LaneFloat T>
[[gnu::always_inline]] inline void butterfly(std::array<Complex<T>, 8>& x, const T* none) {
  std::array<Complex<T>, 4> even{x[0] + x[4], x[1] + x[5], x[2] + x[6], x[3] + x[7]};
  const Complex<T> a = x[0] - x[4], b = x[1] - x[5], c = x[2] - x[6], d = x[3] - x[7];
  const Lane<T> half_root = Lane<T>::fill(0.70710678118654752440);
  // b by e^(-pi i / 4), d by e^(-3 pi i / 4).
  const Complex<T> s{(b.re + b.im) * half_root, (b.im - b.re) * half_root};
  const Complex<T> t{(d.im - d.re) * half_root, (d.re + d.im) * -half_root};
  butterfly(even, none);
  const Complex<T> p = plus_turned(a, c), q = minus_turned(a, c), u = s + t, v = s - t;
  x = {even[0], p + u, even[1], plus_turned(q, v), even[2], p - u, even[3], minus_turned(q, v)};
}

/// Of an odd number, by the sums and the differences of x_i and x_(n - i).
template <LaneFloat T, std::size_t N>
[[gnu::always_inline]] inline void odd_butterfly(std::array<Complex<T>, N>& x, std::size_t n,
                                                 const T* roots) {
  constexpr std::size_t most = (N - 1) / 2;
  const std::size_t half = (n - 1) / 2;
  std::array<Complex<T>, most> sums, differences;
  Complex<T> total = x[0];
  for (std::size_t i = 1; i <= half; ++i) {
    sums[i - 1] = x[i] + x[n - i];
    differences[i - 1] = x[i] - x[n - i];
    total = total + sums[i - 1];
  }
  const Complex<T> start = x[0];
  for (std::size_t k = 1; k <= half; ++k) {
    Complex<T> cosines = start, sines{Lane<T>(T(0)), Lane<T>(T(0))};
    for (std::size_t i = 1, at = k; i <= half; ++i) {
      cosines = cosines + sums[i - 1] * Lane<T>(roots[2 * at]);
      sines = sines + differences[i - 1] * Lane<T>(-roots[2 * at + 1]);
      at += k;
      if (at >= n) at -= n;
    }
    x[k] = plus_turned(cosines, sines);
    x[n - k] = minus_turned(cosines, sines);
  }
  x[0] = total;
}

template <LaneFloat T>
[[gnu::always_inline]] inline void butterfly(std::array<Complex<T>, 3>& x, const T* roots) {
  odd_butterfly(x, 3, roots);
}

template <LaneFloat T>
[[gnu::always_inline]] inline void butterfly(std::array<Complex<T>, 5>& x, const T* roots) {
  odd_butterfly(x, 5, roots);
}

/// A pass of a radix that is known: from elements that are `from` numbers apart to elements `to` apart.
template <std::size_t Radix, LaneFloat T>
void stage_of(const FourierStage<T>& stage, const T* in, std::int64_t from, T* out, std::int64_t to) {
  const std::int64_t next = stage.runs * stage.parts * from, next_out = stage.runs * to;
  const T* twiddles = stage.twiddles;
  for (std::int64_t p = 0; p < stage.parts; ++p, twiddles += 2 * (Radix - 1)) {
    const T* source = in + stage.runs * p * from;
    T* target = out + stage.runs * static_cast<std::int64_t>(Radix) * p * to;
    for (std::int64_t q = 0; q < stage.runs; ++q, source += from, target += to) {
      std::array<Complex<T>, Radix> x;
      for (std::size_t i = 0; i < Radix; ++i)
        x[i] = Complex<T>::load(source + static_cast<std::int64_t>(i) * next);
      butterfly(x, stage.roots);
      x[0].store(target);
      if (p == 0) {
        for (std::size_t k = 1; k < Radix; ++k) x[k].store(target + static_cast<std::int64_t>(k) * next_out);
      } else {
        for (std::size_t k = 1; k < Radix; ++k) {
          const Complex<T> w{Lane<T>(twiddles[2 * k - 2]), Lane<T>(twiddles[2 * k - 1])};
          (x[k] * w).store(target + static_cast<std::int64_t>(k) * next_out);
        }
      }
    }
  }
}

/// A pass of any odd radix.
template <LaneFloat T>
void stage_of_odd(const FourierStage<T>& stage, const T* in, std::int64_t from, T* out, std::int64_t to) {
  const auto radix = static_cast<std::size_t>(stage.radix);
  for (std::int64_t p = 0; p < stage.parts; ++p) {
    const T* twiddles = stage.twiddles + 2 * p * (stage.radix - 1);
    for (std::int64_t q = 0; q < stage.runs; ++q) {
      std::array<Complex<T>, largest_radix> x{};
      for (std::size_t i = 0; i < radix; ++i) {
        const std::int64_t at = q + stage.runs * (p + stage.parts * static_cast<std::int64_t>(i));
        x[i] = Complex<T>::load(in + at * from);
      }
      odd_butterfly(x, radix, stage.roots);
      for (std::size_t k = 0; k < radix; ++k) {
        const std::int64_t at = q + stage.runs * (stage.radix * p + static_cast<std::int64_t>(k));
        if (p > 0 && k > 0)
          x[k] = x[k] * Complex<T>{Lane<T>(twiddles[2 * k - 2]), Lane<T>(twiddles[2 * k - 1])};
        x[k].store(out + at * to);
      }
    }
  }
}

/// The transform of a lane's columns of n points, which are `from` numbers apart, to points `to` apart. `a`
/// and `b` have room for n Complex each; `in` may be `a` where they are as far apart.
template <LaneFloat T>
void transform_columns(const FourierStages<T>& stages, const T* in, std::int64_t from, T* out,
                       std::int64_t to, T* a, T* b) {
  if (stages.count == 0) return Complex<T>::load(in).store(out);
  for (std::size_t i = 0; i < stages.count; ++i) {
    const bool is_last = i + 1 == stages.count;
    // The first goes to b, for `in` may be a.
    T* const target = is_last ? out : i % 2 == 0 ? b : a;
    const std::int64_t apart = is_last ? to : Complex<T>::size;
    const FourierStage<T>& stage = stages.stages[i];
    switch (stage.radix) {
      case 2:
        stage_of<2>(stage, in, from, target, apart);
        break;
      case 3:
        stage_of<3>(stage, in, from, target, apart);
        break;
      case 4:
        stage_of<4>(stage, in, from, target, apart);
        break;
      case 5:
        stage_of<5>(stage, in, from, target, apart);
        break;
      case 8:
        stage_of<8>(stage, in, from, target, apart);
        break;
      default:
        stage_of_odd(stage, in, from, target, apart);
        break;
    }
    in = target;
    from = Complex<T>::size;
  }
}

}  // namespace xtgrad::v1::detail
