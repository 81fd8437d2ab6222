// Rows that are normalised by moments of their own: what the kernels of layer_norm and group_norm share.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "xtgrad/autograd/kernels/levels/level.h"
#include "xtgrad/autograd/kernels/levels/pairwise_sums.h"
#include "xtgrad/autograd/kernels/levels/scratch.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

using Doubles = ScratchVector<double>;

/// The root of 1 / (variance + eps), and what is taken off first, in the type C that computes: the mean, and
/// what rounding it has left.
template <class C>
struct RowScale {
  C mean, rest, inverse;

  RowScale(double exact_mean, double variance, double eps)
      : mean(static_cast<C>(exact_mean)),
        rest(static_cast<C>(exact_mean - static_cast<double>(mean))),
        inverse(static_cast<C>(1 / std::sqrt(variance + eps))) {}

  [[nodiscard]] C normal(C x) const { return ((x - mean) - rest) * inverse; }
};

/// Whether squares and quotients of all rows are safely in float's range.
inline bool all_near_one(const double* variances, std::int64_t rows, double eps) {
  return std::all_of(variances, variances + rows, [eps](double variance) {
    return variance + eps > 0x1p-100 && variance + eps < 0x1p100;
  });
}

/// Without a shift where there is no bias.
template <class C, class T>
void normalize_row(const T* x, std::int64_t n, const RowScale<C>& scale, const T* weight, const T* bias,
                   T* y) {
  if (bias == nullptr) {
    for (std::int64_t i = 0; i < n; ++i)
      y[i] = static_cast<T>(scale.normal(static_cast<C>(x[i])) * static_cast<C>(weight[i]));
    return;
  }
  for (std::int64_t i = 0; i < n; ++i) {
    const C z = scale.normal(static_cast<C>(x[i]));
    y[i] = static_cast<T>(z * static_cast<C>(weight[i]) + static_cast<C>(bias[i]));
  }
}

/// The sum of the squares of n > 0 numbers.
template <class T>
double squares_of(const T* x, std::int64_t n) {
  if constexpr (std::is_same_v<T, float>) {
    const double squares = sums_of<1>(n, [x](std::int64_t i) { return std::array{x[i] * x[i]}; })[0];
    const double average = squares / static_cast<double>(n);
    // Elsewhere squares are out of float's range, or have few digits there.
    if (average > 0x1p-100 && average < 0x1p100) [[likely]]
      return squares;
  }
  return sums_of<1>(n, [x](std::int64_t i) {
    const auto v = static_cast<double>(x[i]);
    return std::array{v * v};
  })[0];
}

/// The sums of `count` rows of n numbers, a column each, by halves; the rows are written over.
template <class T>
void sum_columns(double* rows, std::int64_t count, std::int64_t n, T* out) {
  for (; count > 1; count = (count + 1) / 2) {
    // Row i takes row half + i; of an odd number the middle one has none to take.
    const std::int64_t half = (count + 1) / 2;
    for (std::int64_t i = 0; i < (count - half) * n; ++i) rows[i] += rows[half * n + i];
  }
  for (std::int64_t j = 0; j < n; ++j) out[j] = static_cast<T>(rows[j]);
}

}  // namespace xtgrad::v1::detail
