// Samples of the logarithm of the gamma function and its derivatives.
#include <cmath>
#include <limits>
#include <numbers>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/special.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr double inf = infinity;
constexpr double nan = not_a_number;
const Input positive{.domain = {.low = 0.3, .high = 5}};

constexpr Real pi = std::numbers::pi_v<Real>;

/// From 1 to 2, where it has its root r, to the last digits there too: digamma(x) - digamma(r) is the sum of
/// (x - r) / ((x + k) (r + k)), up to 20, and of what Stirling's series of both differ by.
Real digamma_around_root(Real x) {
  constexpr Real root = 0x1.762d86356be3fp+0L, root_low = 9.5499954299656977e-17L;
  const Real d = (x - root) - root_low;
  Real sum = 0;
  for (int k = 0; k < 20; ++k) sum += d / ((x + k) * (root + k));
  const Real far = x + 20, far_root = root + root_low + 20;
  const auto series = [](Real z) {
    const Real w = 1 / z / z;
    return w * (1.0L / 12 - w * (1.0L / 120 - w * (1.0L / 252 - w * (1.0L / 240 - w / 132))));
  };
  return sum + std::log1p(d / far_root) + d / (2 * far * far_root) - (series(far) - series(far_root));
}

/// Up to 20 by digamma(x) = digamma(x + 1) - 1 / x, then by Stirling's series.
Real digamma_of(Real x) {
  if (x >= 1 && x <= 2) return digamma_around_root(x);
  if (x == 0) return -std::copysign(Real{inf}, x);
  if (x < 0) {
    if (x == std::floor(x)) return nan;
    return digamma_of(1 - x) - pi / std::tan(pi * (x - std::nearbyint(x)));
  }
  Real sum = 0;
  for (; x < 20; ++x) sum -= 1 / x;
  const Real w = 1 / x / x;
  const Real series =
      w * (1.0L / 12 -
           w * (1.0L / 120 - w * (1.0L / 252 - w * (1.0L / 240 - w * (1.0L / 132 - w * 691 / 32760)))));
  return sum + std::log(x) - 1 / (2 * x) - series;
}

/// Of order 1 or 2: a sum of powers, and what is left of it after 40 terms by the formula of Euler and
/// Maclaurin.
Real polygamma_of(int order, Real x) {
  if (std::isnan(x)) return x;
  if (x == std::numeric_limits<Real>::infinity()) return order == 1 ? Real{0} : Real{-0.0};
  if (x <= 0 && x == std::floor(x)) return order == 1 ? Real{inf} : Real{nan};
  if (x < 0) {
    const Real rest = x - std::nearbyint(x), s = std::sin(pi * rest), c = std::cos(pi * rest);
    const Real bend = order == 1 ? -pi * pi / (s * s) : 2 * pi * pi * pi * c / (s * s * s);
    return (order == 1 ? -polygamma_of(1, 1 - x) : polygamma_of(2, 1 - x)) - bend;
  }
  Real sum = 0;
  const Real last = x + 40;
  for (; x < last && x < Real{1e5}; ++x) sum += std::pow(x, -(order + 1));
  const Real w = 1 / x / x;
  if (order == 1)
    return sum + 1 / x + w / 2 + w / x * (1.0L / 6 - w * (1.0L / 30 - w * (1.0L / 42 - w / 30)));
  return -2 * sum - w - w / x - w * w * (0.5L - w * (1.0L / 6 - w * (1.0L / 6 - w * 3 / 10)));
}

const OpSamples lgamma_samples(OpId::lgamma, [](Op& op) {
  // What glibc's manual says of its lgamma, except that near roots below 0, which x's own rounding moves.
  op.accuracy = {.ulps = 4, .floor = 1};
  op.elementwise({.apply = [](const Tensor& x) { return lgamma(x); },
                  .reference = [](Real x) { return std::lgamma(x); },
                  .inputs = {positive},
                  .points = {{{1}, 0, {-0.57721566490153286061}, {1.6449340668482264365}},
                             {{0}, inf, {-inf}, {inf}},
                             {{inf}, inf, {inf}, {0}},
                             {{nan}, nan, {nan}, {nan}}}});
});

const OpSamples digamma_samples(OpId::digamma, [](Op& op) {
  // Up to 8 terms of the recurrence, of one sign and falling, and the fit, half an ulp each, which seldom
  // agree.
  op.accuracy = {.ulps = 4};
  op.elementwise({.apply = [](const Tensor& x) { return digamma(x); },
                  .reference = [](Real x) { return digamma_of(x); },
                  .inputs = {positive},
                  .points = {{{0}, -inf, {inf}, {nan}},
                             {{-2}, nan, {inf}, {nan}},
                             {{inf}, inf, {0}, {-0.0}},
                             {{nan}, nan, {nan}, {nan}}}});
});

const OpSamples polygamma_samples(OpId::polygamma, [](Op& op) {
  // Up to 12 terms, each a power within an ulp, of one sign and falling; then a power's and a product's.
  op.accuracy = {.ulps = 6};
  op.elementwise({.attributes = "order=1",
                  .apply = [](const Tensor& x) { return polygamma(1, x); },
                  .reference = [](Real x) { return polygamma_of(1, x); },
                  .inputs = {positive},
                  .points = {{{0}, inf, {nan}, {inf}}, {{inf}, 0, {-0.0}, {0}}, {{nan}, nan, {nan}, {nan}}}});
  op.elementwise({.attributes = "order=2",
                  .apply = [](const Tensor& x) { return polygamma(2, x); },
                  .reference = [](Real x) { return polygamma_of(2, x); },
                  .inputs = {positive},
                  .points = {{{inf}, -0.0, {0}, {-0.0}}, {{nan}, nan, {nan}, {nan}}}});
  op.elementwise({.attributes = "order=0",
                  .apply = [](const Tensor& x) { return polygamma(0, x); },
                  .reference = [](Real x) { return digamma_of(x); },
                  .inputs = {positive},
                  .points = {{{nan}, nan, {nan}, {nan}}}});
  op.throws<ValueError>("polygamma: order must be from 0 to 32, got -1",
                        [] { return polygamma(-1, ones({2})); });
  op.throws<ValueError>("polygamma: order must be from 0 to 32, got 33",
                        [] { return polygamma(33, ones({2})); });
});

}}  // namespace xtgrad::testing
