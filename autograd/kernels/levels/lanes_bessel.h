// Modified Bessel functions of the first kind, one element after the other.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "xtgrad/autograd/kernels/levels/lanes_gamma.h"
#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

/// I_n(x) of an x >= 0 as the sum of (x / 2)^(n + 2k) / (k! (n + k)!), all of whose terms are positive. The
/// k-th has been rounded 3 k times, and the largest is about the x / 2-th: in double that would be 10 ulps.
/// Where long double is no more than double, it is.
[[gnu::noinline]] inline double bessel_i_by_series(std::int64_t n, double x) {
  const long double h = 0.5L * x, z = h * h;
  long double term = 1;
  for (std::int64_t k = 1; k <= n; ++k) term *= h / static_cast<long double>(k);
  long double sum = term;
  for (std::int64_t k = 1; term > 0x1p-56L * sum; ++k) {
    term *= z / (static_cast<long double>(k) * static_cast<long double>(n + k));
    sum += term;
  }
  return static_cast<double>(sum);
}

/// e^x / sqrt(2 pi x) times the sum of (-1)^k (m - 1) (m - 9) ... (m - (2k - 1)^2) / (k! (8 x)^k), m = 4 n^2
/// (Hankel): from x = 30 + n^2 on to the last digit.
[[gnu::noinline]] inline double bessel_i_far(std::int64_t n, double x) {
  const auto m = static_cast<double>(4 * n * n);
  double term = 1;
  long double sum = 1;
  for (std::int64_t k = 1; k < 60; ++k) {
    const auto odd = static_cast<double>(2 * k - 1);
    const double next = term * (odd * odd - m) / (8 * x * static_cast<double>(k));
    // What does not shrink any longer is past the best that the series gives.
    if (std::abs(next) >= std::abs(term) && odd * odd > m) break;
    term = next;
    sum += term;
    if (std::abs(term) < 0x1p-56) break;
  }
  if (x > 1500) return std::numeric_limits<double>::infinity();
  // In two factors: the exponential alone leaves the range first.
  const long double root = std::exp(0.5 * x);
  return static_cast<double>(root / std::sqrt(6.28318530717958647692528676655900577L * x) * sum * root);
}

[[gnu::noinline]] inline double bessel_i(std::int64_t n, double x) {
  const double size = std::abs(x);
  if (size == std::numeric_limits<double>::infinity()) return n % 2 == 1 ? x : size;
  const auto order = static_cast<double>(n);
  const bool near = size < 30 + order * order;
  const double value = near ? bessel_i_by_series(n, size) : bessel_i_far(n, size);
  return n % 2 == 1 ? std::copysign(value, x) : value;
}

template <LaneFloat T>
Lane<T> bessel_i(std::int64_t n, const Lane<T>& x) {
  return each_in_double(x, [n](double v) { return bessel_i(n, v); });
}

}  // namespace xtgrad::v1::detail
