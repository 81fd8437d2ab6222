// Samples of modified Bessel functions of the first kind.
#include <cmath>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/functions/special.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr double inf = infinity;
constexpr double nan = not_a_number;

/// The sum of (x / 2)^(n + 2k) / (k! (n + k)!).
Real bessel_of(int n, Real x) {
  if (std::isnan(x) || std::isinf(x)) return n == 0 ? std::abs(x) : x;
  if (std::abs(x) > 12000) return n == 0 ? Real{inf} : std::copysign(Real{inf}, x);
  Real term = n == 0 ? 1 : x / 2, sum = term;
  for (int k = 1; k < 20000 && std::abs(term) > std::abs(sum) * 1e-22L; ++k) {
    term *= x / 2 * (x / 2) / (static_cast<Real>(k) * (k + n));
    sum += term;
  }
  return sum;
}

const OpSamples i0_samples(OpId::i0, [](Op& op) {
  // Sums and products in long double, rounded once; beyond 30 of two exponentials in double, each up to an
  // ulp of the result off. In a long double that is no longer than double a series' largest term has x / 2
  // times three roundings, and this is too small.
  op.accuracy = {.ulps = 3};
  op.elementwise({.attributes = "from 8 to 45",
                  .apply = [](const Tensor& x) { return i0(x); },
                  .reference = [](Real x) { return bessel_of(0, x); },
                  .inputs = {{.domain = {.low = 8, .high = 45}}}});
  op.elementwise({.apply = [](const Tensor& x) { return i0(x); },
                  .reference = [](Real x) { return bessel_of(0, x); },
                  .points = {{{0}, 1, {0}, {0.5}},
                             {{-1e4}, inf, {-inf}, {inf}},
                             {{inf}, inf, {inf}, {inf}},
                             {{nan}, nan, {nan}, {nan}}}});
});

const OpSamples i1_samples(OpId::i1, [](Op& op) {
  op.accuracy = {.ulps = 3};  // as i0
  op.elementwise({.attributes = "from 8 to 45",
                  .apply = [](const Tensor& x) { return i1(x); },
                  .reference = [](Real x) { return bessel_of(1, x); },
                  .inputs = {{.domain = {.low = 8, .high = 45}}}});
  op.elementwise({.apply = [](const Tensor& x) { return i1(x); },
                  .reference = [](Real x) { return bessel_of(1, x); },
                  .points = {{{0}, 0, {0.5}, {0}},
                             {{-0.0}, -0.0, {0.5}, {0}},
                             {{-1e4}, -inf, {inf}, {-inf}},
                             {{inf}, inf, {inf}, {inf}},
                             {{nan}, nan, {nan}, {nan}}}});
});

}}  // namespace xtgrad::testing
