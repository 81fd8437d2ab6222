// Sums in double, in an order that follows from their number alone, and none of whose terms is rounded much
// more than log2(n) times.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

inline std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

/// Terms may be floats: then a tree of them is added in float, and the trees in double.

/// Numbers that are summed side by side, so that SIMD can be used.
inline constexpr std::size_t abreast = 16;
/// Rows of such numbers that meet as a tree, and rows that make a chain of trees; what chains give is added
/// up pairwise. So of n terms none is rounded much more than log2(n) times.
inline constexpr std::int64_t tree = 4;
inline constexpr std::int64_t chain = 4 * tree;

/// The sums of the numbers that `term` gives for i, i + stride, and so on, `Rows` of them.
template <std::int64_t Rows, class F>
[[gnu::always_inline]] inline auto tree_of(std::int64_t i, std::int64_t stride, const F& term) {
  if constexpr (Rows == 1) {
    return term(i);
  } else {
    auto sums = tree_of<Rows / 2>(i, stride, term);
    const auto rest = tree_of<Rows / 2>(i + Rows / 2 * stride, stride, term);
    for (std::size_t s = 0; s < sums.size(); ++s) sums[s] += rest[s];
    return sums;
  }
}

/// Calls add_rows(first row, integral_constant how many) for trees of rows that cover those from first to
/// last; what is no full tree comes first, as the first terms are rounded most often.
template <class F>
[[gnu::always_inline]] inline void for_each_tree(std::int64_t first, std::int64_t last, const F& add_rows) {
  static_assert(tree == 4);
  if ((last - first) % 2 != 0) add_rows(first++, std::integral_constant<std::int64_t, 1>{});
  if ((last - first) % tree != 0) {
    add_rows(first, std::integral_constant<std::int64_t, 2>{});
    first += 2;
  }
  for (; first < last; first += tree) add_rows(first, std::integral_constant<std::int64_t, tree>{});
}

/// The sum of n > 0 numbers by halves.
inline double sum_by_halves(const double* x, std::int64_t n) {
  return n == 1 ? *x : sum_by_halves(x, n / 2) + sum_by_halves(x + n / 2, n - n / 2);
}

template <std::size_t N>
using Partial = std::array<std::array<double, abreast>, N>;

template <std::size_t N, class C>
void add_to(Partial<N>& partial, std::size_t k, const std::array<C, N>& terms) {
  for (std::size_t s = 0; s < N; ++s) partial[s][k] += static_cast<double>(terms[s]);
}

/// The sums of the terms first to last, `abreast` of each.
template <std::size_t N, class F>
Partial<N> partial_sums(std::int64_t first, std::int64_t last, const F& term) {
  constexpr auto width = static_cast<std::int64_t>(abreast);
  constexpr std::int64_t block = chain * width;
  Partial<N> partial{};
  if (last - first > block) {
    const std::int64_t middle = first + ((last - first) / 2 + block - 1) / block * block;
    partial = partial_sums<N>(first, middle, term);
    const Partial<N> rest = partial_sums<N>(middle, last, term);
    for (std::size_t s = 0; s < N; ++s) {
      for (std::size_t k = 0; k < abreast; ++k) partial[s][k] += rest[s][k];
    }
    return partial;
  }
  const std::int64_t rows = (last - first) / width;
  for (std::int64_t i = first + rows * width; i < last; ++i)
    add_to(partial, index(i - first - rows * width), term(i));
  for_each_tree(
      0, rows, [&](std::int64_t row, auto count) __attribute__((always_inline)) {
        for (std::size_t k = 0; k < abreast; ++k)
          add_to(partial, k, tree_of<count>(first + row * width + static_cast<std::int64_t>(k), width, term));
      });
  return partial;
}

/// Sums of the N numbers that `term(i)` gives for 0..n-1.
template <std::size_t N, class F>
std::array<double, N> sums_of(std::int64_t n, const F& term) {
  Partial<N> partial = partial_sums<N>(0, n, term);
  std::array<double, N> sums;
  for (std::size_t s = 0; s < N; ++s) {
    for (std::size_t half = abreast / 2; half > 0; half /= 2) {
      for (std::size_t k = 0; k < half; ++k) partial[s][k] += partial[s][k + half];
    }
    sums[s] = partial[s][0];
  }
  return sums;
}

/// Of one row: the mean, and the sum of the squares of what differs from it.
struct RowMoments {
  double mean;
  double squares;
};

/// Reads the n > 0 numbers twice, while they are in cache.
template <class T>
RowMoments moments_of(const T* x, std::int64_t n) {
  const auto count = static_cast<double>(n);
  const double about =
      sums_of<1>(n, [x](std::int64_t i) { return std::array{static_cast<double>(x[i])}; })[0] / count;
  if constexpr (std::is_same_v<T, float>) {
    // The mean has all the digits that it needs. Deviations are taken from a float near it, and their squares
    // put right by what lies between.
    const auto near = static_cast<float>(about);
    const double between = about - static_cast<double>(near);
    const double squares = sums_of<1>(n, [x, near](std::int64_t i) {
      const float d = x[i] - near;
      return std::array{d * d};
    })[0];
    const double variance = squares / count;
    // Elsewhere squares are out of float's range, or have few digits there.
    if (variance > 0x1p-100 && variance < 0x1p100) [[likely]]
      return {about, squares - count * between * between};
  }
  const auto [rest, squares] = sums_of<2>(n, [x, about](std::int64_t i) {
    const double d = static_cast<double>(x[i]) - about;
    return std::array{d, d * d};
  });
  // `rest` is what rounding left in the first sum.
  return {about + rest / count, squares - rest * (rest / count)};
}

}  // namespace xtgrad::v1::detail
