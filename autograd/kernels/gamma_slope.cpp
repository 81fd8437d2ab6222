#include "xtgrad/autograd/kernels/gamma_slope.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/kernels/parallel.h"

namespace xtgrad::inline v1::detail {
namespace {

// All of these give d log z / d alpha. Integrals and series are DLMF's, chapter 8.

/// Gamma' / Gamma from 1 on: by the recurrence, and from 7 on by Stirling's series.
double digamma_from_one(double x) {
  double sum = 0;
  for (; x < 7; x += 1) sum -= 1 / x;
  constexpr double terms[] = {1.0 / 12,  -1.0 / 120,     1.0 / 252, -1.0 / 240,
                              1.0 / 132, -691.0 / 32760, 1.0 / 12,  -3617.0 / 8160};
  const double inverse = 1 / x, w = inverse * inverse;
  double series = 0;
  for (std::size_t k = std::size(terms); k-- > 0;) series = (series + terms[k]) * w;
  return sum + std::log(x) - (0.5 * inverse + series);
}

/// F = x^a e^-x (sum of x^n / Gamma(a + n + 1)), differentiated term by term: for an x that is not far beyond
/// a, where nothing cancels.
double slope_by_series(double a, double x, double log_x, double tolerance) {
  double term = 1 / a, psi = digamma_from_one(a + 1), sum = term * (psi - log_x);
  for (double n = 1; n < 500; ++n) {
    const double inverse = 1 / (a + n);
    term *= x * inverse;
    psi += inverse;
    const double next = term * (psi - log_x);
    sum += next;
    if (!(std::abs(next) > tolerance * std::abs(sum))) break;
  }
  return sum;
}

/// Legendre's continued fraction of (1 - F) Gamma(a) e^x x^-a, 8.9.2, of which convergents and their
/// derivatives in a go forward together: for an x beyond a. Nothing cancels there, either.
double slope_by_fraction(double a, double x, double log_x, double tolerance) {
  struct Dual {
    double value, slope;
  };
  const double weight = log_x - (digamma_from_one(a + 1) - 1 / a);
  Dual p0{0, 0}, p1{1, 0}, q0{1, 0}, q1{x + 1 - a, -1};
  double result = 0;
  for (double n = 1; n < 2000; ++n) {
    const double partial = -n * (n - a), b = x + 2 * n + 1 - a;
    const auto next = [&](const Dual& before, const Dual& last) {
      return Dual{b * last.value + partial * before.value,
                  b * last.slope - last.value + partial * before.slope + n * before.value};
    };
    const Dual p2 = next(p0, p1), q2 = next(q0, q1);
    const double scale = 1 / q2.value;
    p0 = {p1.value * scale, p1.slope * scale};
    q0 = {q1.value * scale, q1.slope * scale};
    p1 = {p2.value * scale, p2.slope * scale};
    q1 = {1, q2.slope * scale};
    const double before = result;
    result = weight * p1.value + (p1.slope - p1.value * q1.slope);
    if (!(std::abs(result - before) > tolerance * std::abs(result))) break;
  }
  return result;
}

/// Coefficients of c_k(eta), 8.12.11, in powers of eta, as many as alphas from 100 on need for |eta| < 0.87.
constexpr std::size_t powers = 19;
constexpr double temme[][powers] = {
    {-0.33333333333333331, 0.083333333333333329, -0.014814814814814815, 0.0011574074074074073,
     0.00035273368606701942, -0.0001787551440329218, 3.9192631785224377e-05, -2.185448510679992e-06,
     -1.85406221071516e-06, 8.2967113409530865e-07, -1.7665952736826078e-07, 6.7078535434014984e-09,
     1.0261809784240309e-08, -4.3820360184533529e-09, 9.1476995822367902e-10, -2.5514193994946248e-11,
     -5.8307721325504256e-11, 2.4361948020667415e-11, -5.0276692801141755e-12},
    {-0.0018518518518518519, -0.003472222222222222, 0.0026455026455026454, -0.00099022633744855963,
     0.00020576131687242798, -4.018775720164609e-07, -1.8098550334489977e-05, 7.6491609160811098e-06,
     -1.6120900894563446e-06, 4.647127802807434e-09, 1.3786334469157209e-07, -5.7525456035177047e-08,
     1.1951628599778148e-08, -1.7543241719747647e-11, -1.0091543710600413e-09, 4.1627929918425828e-10},
    {0.0041335978835978834, -0.0026813271604938273, 0.0007716049382716049, 2.0093878600823047e-06,
     -0.0001073665322636516, 5.2923448829120125e-05, -1.2760635188618728e-05, 3.4235787340961378e-08,
     1.3721957309062934e-06, -6.2989921383800548e-07, 1.4280614206064242e-07, -2.0477098421990866e-10,
     -1.409252991086752e-08, 6.2289740849220218e-09},
    {0.00064943415637860077, 0.00022947209362139917, -0.0004691894943952557, 0.00026772063206283885,
     -7.5618016718839766e-05, -2.3965051138672968e-07, 1.1082654115347302e-05, -5.6749528269915965e-06,
     1.4230900732435883e-06},
    {-0.00086188829091671173, 0.00078403922172006662, -0.00029907248030319018, -1.4638452578843418e-06,
     6.6414982154651219e-05, -3.9683650471794347e-05},
    {-0.00033679855336635813}};

/// log(1 + mu), and eta^2 / 2 = mu - log(1 + mu), which near 0 is a series in y^2 for y = mu / (2 + mu).
struct Logarithm {
  double value, rest;
};
Logarithm log_and_rest(double mu) {
  if (std::abs(mu) > 0.1) {
    const double value = std::log1p(mu);
    return {value, mu - value};
  }
  const double y = mu / (2 + mu), w = y * y;
  const double series =
      w * (1.0 / 3 + w * (1.0 / 5 + w * (1.0 / 7 + w * (1.0 / 9 + w * (1.0 / 11 + w * (1.0 / 13))))));
  const double rest = y * (mu - 2 * series);
  return {mu - rest, rest};
}

/// From Temme's uniform expansion, 8.12.3: 1 - F = erfc(eta sqrt(a / 2)) / 2 + e^(-a eta^2 / 2) S / sqrt(2 pi
/// a) with S the sum of c_k(eta) a^-k. In the quotient by the density all exponentials cancel:
/// (mu / eta - eta / 2 + log(1 + mu) S - S / (2 a) + dS/da) Gamma*(a) / a, where 1 + mu = x / a.
double slope_of_large(double a, double x) {
  const double mu = (x - a) / a, inverse = 1 / a;
  const Logarithm log = log_and_rest(mu);
  const double eta = std::copysign(std::sqrt(2 * log.rest), mu);
  const double ratio = mu == 0 ? 1 : mu / eta;
  // The sum over k first, which is a polynomial again, and its derivative in a at one eta.
  double sums[powers] = {}, slopes[powers] = {}, weight = 1, k = 0;
  for (const auto& of_k : temme) {
    for (std::size_t j = 0; j < powers; ++j) {
      sums[j] += of_k[j] * weight;
      slopes[j] -= of_k[j] * (k * weight * inverse);
    }
    weight *= inverse;
    ++k;
  }
  double sum = 0, slope_in_eta = 0, slope_in_a = 0;
  for (std::size_t j = powers; j-- > 0;) {
    slope_in_eta = slope_in_eta * eta + sum;
    sum = sum * eta + sums[j];
    slope_in_a = slope_in_a * eta + slopes[j];
  }
  const double sum_slope = slope_in_a - slope_in_eta * ratio * inverse;
  const double square = inverse * inverse;
  const double gamma_star = std::exp(inverse * (1.0 / 12 - square * (1.0 / 360 - square / 1260)));
  return gamma_star * inverse * (ratio - 0.5 * eta + log.value * sum - 0.5 * sum * inverse + sum_slope);
}

/// What a dtype needs: a share that a sum's last term may have, and from where on an alpha is large. Within 8
/// deviations of an alpha of 30, Temme's expansion is off by 1e-7 at most.
template <class T>
constexpr double tolerance = sizeof(T) == sizeof(float) ? 1e-9 : 1e-16;
template <class T>
constexpr double large = sizeof(T) == sizeof(float) ? 30 : 100;

template <class T>
double log_slope(double a, double x, double log_x) {
  if (a >= large<T>) return slope_of_large(a, x);
  return x < a + std::sqrt(a) + 1 ? slope_by_series(a, x, log_x, tolerance<T>)
                                  : slope_by_fraction(a, x, log_x, tolerance<T>);
}

}  // namespace

void gamma_slope(const Array& alpha, const Array& drawn, bool log_space, Array& out) {
  visit_floating(alpha.dtype, [&](auto zero) {
    using T = decltype(zero);
    constexpr std::int64_t tile_size = 1 << 11;
    const std::int64_t n = alpha.numel();
    const T *const alphas = alpha.data<T>(), *const draws = drawn.data<T>();
    T* const to = out.mutable_data<T>();
    for_each_tile((n + tile_size - 1) / tile_size, [&](std::int64_t tile) {
      const std::int64_t end = std::min(n, (tile + 1) * tile_size);
      for (std::int64_t i = tile * tile_size; i < end; ++i) {
        const auto a = static_cast<double>(alphas[i]), z = static_cast<double>(draws[i]);
        const double x = log_space ? std::exp(z) : z;
        const double slope = log_slope<T>(a, x, log_space ? z : std::log(z));
        to[i] = static_cast<T>(log_space ? slope : slope * x);
      }
    });
  });
}

}  // namespace xtgrad::v1::detail
