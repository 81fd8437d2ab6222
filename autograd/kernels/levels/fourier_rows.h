// Transforms of rows of pairs that lie one behind the other in memory.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "xtgrad/autograd/kernels/fourier_plan.h"
#include "xtgrad/autograd/kernels/levels/fourier_stages.h"
#include "xtgrad/autograd/kernels/levels/scratch.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

/// As many complex numbers as there are, of pairs in memory; the others are 0.
template <LaneFloat T>
inline Complex<T> load_pairs(const T* p, std::int64_t count) {
  constexpr std::int64_t size = Complex<T>::size;
  if (2 * count >= size) [[likely]]
    return Complex<T>::load_pairs(p);
  std::array<T, size> some{};
  std::copy_n(p, 2 * count, some.begin());
  return Complex<T>::load_pairs(some.data());
}

template <LaneFloat T>
inline void store_pairs(const Complex<T>& z, T* p, std::int64_t count) {
  constexpr std::int64_t size = Complex<T>::size;
  if (2 * count >= size) [[likely]]
    return z.store_pairs(p);
  std::array<T, size> some;
  z.store_pairs(some.data());
  std::copy_n(some.begin(), 2 * count, p);
}

/// As many rows as a lane has numbers.
template <LaneFloat T>
struct ComplexSquare {
  static constexpr std::size_t width = Lane<T>::width;

  std::array<Lane<T>, width> re, im;

  void set(std::size_t i, const Complex<T>& z) { re[i] = z.re, im[i] = z.im; }
  [[nodiscard]] Complex<T> operator[](std::size_t i) const { return {re[i], im[i]}; }
  void transpose() {
    transpose(re);
    transpose(im);
  }

 private:
  using Rows = std::array<Lane<T>, width>;

  /// Interleaving the halves moves the first bit of an element's place behind the last: after log2(width)
  /// times, row and column have changed their places.
  [[gnu::noinline]] static void transpose(Rows& x) {
    for (std::size_t done = 1; done < width; done *= 2)
      interleave_halves(x, std::make_index_sequence<width / 2>{});
  }
  template <std::size_t... I>
  static void interleave_halves(Rows& x, std::index_sequence<I...>) {
    const std::array<TwoLanes<T>, width / 2> two{interleave(x[I], x[I + width / 2])...};
    ((x[2 * I] = two[I].first, x[2 * I + 1] = two[I].second), ...);
  }
};

/// What the next step does with pairs: the inverse transform is the transform with real and imaginary parts
/// exchanged, before and after.
template <LaneFloat T>
struct Direction {
  bool back = false;
  T scale = 1;

  [[nodiscard]] Complex<T> enter(const Complex<T>& z) const { return back ? z.swapped() : z; }
  [[nodiscard]] Complex<T> leave(const Complex<T>& z) const { return enter(z * Lane<T>(scale)); }
};

/// Of a plan by rows or a split.
template <LaneFloat T>
class SmoothTransform {
 public:
  static constexpr std::int64_t width = static_cast<std::int64_t>(Lane<T>::width);
  static constexpr std::int64_t size = Complex<T>::size;

  explicit SmoothTransform(const FourierPlan<T>& plan)
      : plan_(plan),
        longest_(std::max(plan.first.n, plan.second.n)),
        columns_(3 * longest_ * size),
        between_(plan.way == FourierWay::split ? (plan.first.n + width - 1) / width * plan.second.n * size
                                               : 0) {}

  /// How many rows cost as much as one.
  [[nodiscard]] std::int64_t abreast() const { return plan_.way == FourierWay::rows ? width : 1; }

  /// Of up to `abreast` rows.
  void operator()(const T* in, std::int64_t rows, T* out, const Direction<T>& direction) const {
    if (plan_.way == FourierWay::split) {
      split_columns(in, direction);
      split_rows(out, direction);
    } else {
      rows_abreast(in, rows, out, direction);
    }
  }

 private:
  [[nodiscard]] T* column(std::int64_t i) const { return columns_.data() + i * longest_ * size; }

  [[gnu::noinline]] void rows_abreast(const T* in, std::int64_t rows, T* out,
                                      const Direction<T>& direction) const {
    const std::int64_t n = plan_.n;
    T *const a = column(0), *const b = column(1), *const c = column(2);
    const Complex<T> nothing{Lane<T>(T(0)), Lane<T>(T(0))};
    ComplexSquare<T> square;
    for (std::int64_t j = 0; j < n; j += width) {
      const std::int64_t count = std::min(width, n - j);
      for (std::int64_t r = 0; r < width; ++r)
        square.set(static_cast<std::size_t>(r),
                   r < rows ? direction.enter(load_pairs(in + 2 * (r * n + j), count)) : nothing);
      square.transpose();
      for (std::int64_t i = 0; i < count; ++i) square[static_cast<std::size_t>(i)].store(a + (j + i) * size);
    }
    transform_columns(plan_.first, a, size, c, size, a, b);
    for (std::int64_t j = 0; j < n; j += width) {
      const std::int64_t count = std::min(width, n - j);
      for (std::int64_t i = 0; i < width; ++i)
        square.set(static_cast<std::size_t>(i), i < count ? Complex<T>::load(c + (j + i) * size) : nothing);
      square.transpose();
      for (std::int64_t r = 0; r < rows; ++r)
        store_pairs(direction.leave(square[static_cast<std::size_t>(r)]), out + 2 * (r * n + j), count);
    }
  }

  /// With j = j1 n2 + j2: the sums over j1, times w^(k1 j2), as columns of j2.
  [[gnu::noinline]] void split_columns(const T* in, const Direction<T>& direction) const {
    const std::int64_t n1 = plan_.first.n, n2 = plan_.second.n;
    T *const a = column(0), *const b = column(1), *const c = column(2);
    const T* twiddles = plan_.twiddles;
    for (std::int64_t j2 = 0; j2 < n2; j2 += width) {
      const std::int64_t count = std::min(width, n2 - j2);
      for (std::int64_t j1 = 0; j1 < n1; ++j1)
        direction.enter(load_pairs(in + 2 * (j1 * n2 + j2), count)).store(a + j1 * size);
      transform_columns(plan_.first, a, size, c, size, a, b);
      for (std::int64_t k1 = 0; k1 < n1; k1 += width) {
        ComplexSquare<T> square;
        for (std::int64_t i = 0; i < width; ++i) {
          const std::int64_t at = std::min(k1 + i, n1 - 1) * size;  // of lanes that nobody reads: any
          square.set(static_cast<std::size_t>(i), Complex<T>::load(c + at) * Complex<T>::load(twiddles + at));
        }
        square.transpose();
        T* const to = between_.data() + (k1 / width * n2 + j2) * size;
        for (std::int64_t i = 0; i < count; ++i) square[static_cast<std::size_t>(i)].store(to + i * size);
      }
      twiddles += n1 * size;
    }
  }

  /// With k = k1 + n1 k2: the sums over j2.
  [[gnu::noinline]] void split_rows(T* out, const Direction<T>& direction) const {
    const std::int64_t n1 = plan_.first.n, n2 = plan_.second.n;
    T *const a = column(0), *const b = column(1), *const c = column(2);
    for (std::int64_t k1 = 0; k1 < n1; k1 += width) {
      const std::int64_t count = std::min(width, n1 - k1);
      transform_columns(plan_.second, between_.data() + k1 * n2 / width * size, size, c, size, a, b);
      for (std::int64_t k2 = 0; k2 < n2; ++k2)
        store_pairs(direction.leave(Complex<T>::load(c + k2 * size)), out + 2 * (k2 * n1 + k1), count);
    }
  }

  const FourierPlan<T>& plan_;
  std::int64_t longest_;
  Scratch<T> columns_;
  Scratch<T> between_;
};

/// Of any plan.
template <LaneFloat T>
class RowTransform {
 public:
  static constexpr std::int64_t width = static_cast<std::int64_t>(Lane<T>::width);

  explicit RowTransform(const FourierPlan<T>& plan)
      : plan_(plan),
        is_chirp_(plan.way == FourierWay::chirp),
        smooth_(is_chirp_ ? *plan.m : plan),
        points_(is_chirp_ ? 4 * smooth_.abreast() * plan.m->n : 0) {}

  [[nodiscard]] std::int64_t abreast() const { return smooth_.abreast(); }

  /// Of up to `abreast` rows.
  void operator()(const T* in, std::int64_t rows, T* out, const Direction<T>& direction) const {
    if (!is_chirp_) return smooth_(in, rows, out, direction);
    // j k = (j^2 + k^2 - (k - j)^2) / 2.
    const std::int64_t n = plan_.n, m = plan_.m->n;
    T *const a = points_.data(), *const b = a + 2 * abreast() * m;
    for (std::int64_t r = 0; r < rows; ++r) {
      multiply(in + 2 * r * n, plan_.chirp, n, a + 2 * r * m,
               [&](const auto& z, const auto& w) { return direction.enter(z) * w; });
      std::fill(a + 2 * (r * m + n), a + 2 * (r + 1) * m, T(0));
    }
    smooth_(a, rows, b, {});
    for (std::int64_t r = 0; r < rows; ++r)
      multiply(b + 2 * r * m, plan_.spectrum, m, b + 2 * r * m,
               [](const auto& z, const auto& w) { return z * w; });
    smooth_(b, rows, a, {.back = true});
    for (std::int64_t r = 0; r < rows; ++r)
      multiply(a + 2 * r * m, plan_.chirp, n, out + 2 * r * n,
               [&](const auto& z, const auto& w) { return direction.leave(z * w); });
  }

 private:
  template <class F>
  static void multiply(const T* z, const T* w, std::int64_t n, T* out, F f) {
    for (std::int64_t j = 0; j < n; j += width) {
      const std::int64_t count = std::min(width, n - j);
      store_pairs(f(load_pairs(z + 2 * j, count), load_pairs(w + 2 * j, count)), out + 2 * j, count);
    }
  }

  const FourierPlan<T>& plan_;
  bool is_chirp_;
  SmoothTransform<T> smooth_;
  Scratch<T> points_;
};

}  // namespace xtgrad::v1::detail
