// The logarithm of the gamma function and its derivatives, one element after the other.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "xtgrad/autograd/kernels/levels/lanes.h"
#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

/// f of each element, computed in double; NaN stays. f is none of the functions that are inlined: comparisons
/// would be moved before the question for NaN, where they raise an exception.
template <LaneFloat T, class F>
Lane<T> each_in_double(Lane<T> x, const F& f) {
  T elements[Lane<T>::width];
  x.store(elements);
  for (T& element : elements) {
    if (!std::isnan(element)) element = static_cast<T>(f(static_cast<double>(element)));
  }
  return Lane<T>::load(elements);
}

/// log|Gamma(x)|, the C library's; of lgamma_r, for lgamma writes the sign to a global variable.
inline double log_gamma(double x) {
#if defined(__unix__) || defined(__APPLE__)
  int sign = 0;
  return ::lgamma_r(x, &sign);
#else
  return std::lgamma(x);
#endif
}

/// The digamma function of an x in [1, 2]: a fit of digamma(x) / (x - root) in x - 1.5, good to 2^-58.
[[gnu::noinline]] inline double digamma_near_root(double x) {
  constexpr double root = 0x1.762d86356be3fp+0, root_low = 9.5499954299656977e-17;
  constexpr double fit[] = {
      0.95105587603183287971,     -0.42362742128146059979,    0.24054248424078698304,
      -0.14840492305388091493,    0.094988724452890381645,    -0.061922133275488312017,
      0.040760833940846082799,    -0.026975796659787055062,   0.017907248317313295827,
      -0.011908220105959716185,   0.0079270217968681539808,   -0.0052799372555327082537,
      0.0035181065638024723413,   -0.0023454947397380835176,  0.0015633696313653505125,
      -0.001036458481731283792,   0.00069092557612829863631,  -0.00048595039220036256214,
      0.0003239594540134519833,   -0.00014480643368061613052, 0.000096536462614100616785,
      -0.00017821885488559231885, 0.00011881232908510335};
  const double u = x - 1.5;
  double value = 0;
  for (std::size_t k = std::size(fit); k-- > 0;) value = value * u + fit[k];
  return ((x - root) - root_low) * value;
}

/// From 10 on by Stirling's series, log(x) - 1/(2x) - sum of B_2k / (2k x^2k).
[[gnu::noinline]] inline double digamma_far(double x) {
  constexpr double terms[] = {1.0 / 12,  -1.0 / 120,     1.0 / 252, -1.0 / 240,
                              1.0 / 132, -691.0 / 32760, 1.0 / 12,  -3617.0 / 8160};
  const double w = 1 / x / x;
  double sum = 0;
  for (std::size_t k = std::size(terms); k-- > 0;) sum = (sum + terms[k]) * w;
  return std::log(x) - (0.5 / x + sum);
}

inline constexpr double pi_in_double = 3.14159265358979323846;

/// pi / tan(pi x), which has period 1.
inline double cotangent_of_pi(double x) {
  const double rest = x - std::nearbyint(x);
  return std::abs(rest) == 0.5 ? 0 : pi_in_double / std::tan(pi_in_double * rest);
}

/// Gamma' / Gamma. Below 0 by reflection; of 0 it is -inf or, of -0, inf, and of other poles NaN.
[[gnu::noinline]] inline double digamma(double x) {
  if (x == 0) return -std::copysign(std::numeric_limits<double>::infinity(), x);
  if (x < 0) {
    if (x == std::floor(x)) return std::numeric_limits<double>::quiet_NaN();
    return digamma(1 - x) - cotangent_of_pi(x);
  }
  if (x >= 10) return digamma_far(x);
  double sum = 0;
  if (x < 1) {
    sum = -1 / x;
    x += 1;
  }
  for (; x > 2; x -= 1) sum += 1 / (x - 1);
  return sum + digamma_near_root(x);
}

/// The sum of (x + k)^-s over k from 0 on, of a whole s > 1 and an x that is no pole: terms up to where the
/// formula of Euler and Maclaurin takes over.
[[gnu::noinline]] inline double hurwitz_zeta(std::int64_t s, double x) {
  constexpr double bernoulli[] = {1.0 / 6,       -1.0 / 30, 1.0 / 42,      -1.0 / 30,    5.0 / 66,
                                  -691.0 / 2730, 7.0 / 6,   -3617.0 / 510, 43867.0 / 798};
  const auto order = static_cast<double>(s);
  double sum = 0;
  const double first = 12 + 0.5 * order;
  while (x < first) {
    sum += std::pow(x, -order);
    x += 1;
  }
  // By the power that leaves the range last; factor is s (s + 1) ... / ((2k)! x^2k).
  double tail = 1 / (order - 1) + 0.5 / x, factor = order / x / 2 / x;
  for (std::size_t k = 0; k < std::size(bernoulli); ++k) {
    tail += bernoulli[k] * factor;
    const auto i = static_cast<double>(2 * k);
    factor *= (order + i + 1) / x * ((order + i + 2) / x) / ((i + 3) * (i + 4));
  }
  return sum + std::pow(x, 1 - order) * tail;
}

inline constexpr std::int64_t most_of_polygamma = 32;

/// The n-th derivative of pi / tan(pi x): a polynomial in c = 1 / tan(pi x), each of which comes from the
/// last by (p(c))' = -pi (1 + c^2) p'(c). n is up to most_of_polygamma + 1, which the highest order's rule
/// asks for.
[[gnu::noinline]] inline double cotangent_derivative(std::int64_t n, double x) {
  double p[most_of_polygamma + 3] = {0, pi_in_double}, next[most_of_polygamma + 3];
  for (std::int64_t k = 1; k <= n; ++k) {
    for (std::int64_t i = 0; i <= k + 1; ++i) {
      const double up = i <= k - 1 ? static_cast<double>(i + 1) * p[i + 1] : 0;
      const double down = i >= 2 ? static_cast<double>(i - 1) * p[i - 1] : 0;
      next[i] = -pi_in_double * (up + down);
    }
    for (std::int64_t i = 0; i <= k + 1; ++i) p[i] = next[i];
  }
  const double c = cotangent_of_pi(x) / pi_in_double;
  double value = p[n + 1];
  for (std::int64_t i = n; i >= 0; --i) value = value * c + p[i];
  return value;
}

/// The n-th derivative of digamma, n from 0 to 33: (-1)^(n + 1) n! times Hurwitz's zeta function of n + 1,
/// whose sum begins with some terms below 0, and far below by reflection, a difference of numbers of any
/// size. Infinite at poles, NaN where the limits differ.
[[gnu::noinline]] inline double polygamma(std::int64_t n, double x) {
  if (n == 0) return digamma(x);
  constexpr double inf = std::numeric_limits<double>::infinity();
  if (x == inf) return n % 2 == 1 ? 0.0 : -0.0;
  if (x <= 0 && x == std::floor(x)) return n % 2 == 1 ? inf : std::numeric_limits<double>::quiet_NaN();
  if (x < -32) {
    const double mirrored = polygamma(n, 1 - x);
    return (n % 2 == 0 ? mirrored : -mirrored) - cotangent_derivative(n, x);
  }
  double factorial = 1;
  for (std::int64_t k = 2; k <= n; ++k) factorial *= static_cast<double>(k);
  const double size = factorial * hurwitz_zeta(n + 1, x);
  return n % 2 == 1 ? size : -size;
}

template <LaneFloat T>
Lane<T> lgamma(Lane<T> x) {
  return each_in_double(x, [](double v) { return log_gamma(v); });
}

template <LaneFloat T>
Lane<T> digamma(Lane<T> x) {
  return each_in_double(x, [](double v) { return digamma(v); });
}

template <LaneFloat T>
Lane<T> polygamma(std::int64_t n, Lane<T> x) {
  return each_in_double(x, [n](double v) { return polygamma(n, v); });
}

}  // namespace xtgrad::v1::detail
