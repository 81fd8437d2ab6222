// Samples of the tangent, arcs and sin(pi x) / (pi x).
#include <cmath>
#include <numbers>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr double inf = infinity;
constexpr double nan = not_a_number;
const Input inside{.domain = {.low = -0.9, .high = 0.9}};

/// By what x is above the nearest whole number.
Real sinc_of(Real x) {
  if (x == 0) return 1;
  if (std::isinf(x)) return 0;
  const Real pi = std::numbers::pi_v<Real>, whole = std::nearbyint(x), s = std::sin(pi * (x - whole));
  return (std::fmod(whole, 2) == 0 ? s : -s) / (pi * x);
}

const OpSamples tan_samples(OpId::tan, [](Op& op) {
  // The slope, 1 + y^2, is rounded once where it is one step, and twice where it is recorded.
  op.accuracy = {.ulps = 2.5, .gradient_ulps = 2};
  op.elementwise({.apply = [](const Tensor& x) { return tan(x); },
                  .reference = [](Real x) { return std::tan(x); },
                  .inputs = {{.domain = {.low = -1.2, .high = 1.2}}},
                  .points = {{{0}, 0, {1}, {0}}, {{-0.0}, -0.0, {1}, {0}}, {{inf}, nan, {nan}, {nan}}}});
});

const OpSamples asin_samples(OpId::asin, [](Op& op) {
  // A fit's product, the sums with its leading term and with pi / 2 in two parts: half an ulp each.
  op.accuracy = {.ulps = 2};
  op.elementwise({.apply = [](const Tensor& x) { return asin(x); },
                  .reference = [](Real x) { return std::asin(x); },
                  .inputs = {inside},
                  .points = {{{0}, 0, {1}, {0}},
                             {{-0.0}, -0.0, {1}, {0}},
                             {{1}, std::numbers::pi / 2, {inf}, {inf}},
                             {{2}, nan, {nan}, {nan}},
                             {{nan}, nan, {nan}, {nan}}}});
});

const OpSamples acos_samples(OpId::acos, [](Op& op) {
  // As asin.
  op.accuracy = {.ulps = 2};
  op.elementwise({.apply = [](const Tensor& x) { return acos(x); },
                  .reference = [](Real x) { return std::acos(x); },
                  .inputs = {inside},
                  .points = {{{1}, 0, {-inf}, {-inf}},
                             {{-1}, std::numbers::pi, {-inf}, {inf}},
                             {{0}, std::numbers::pi / 2, {-1}, {0}},
                             {{-2}, nan, {nan}, {nan}},
                             {{nan}, nan, {nan}, {nan}}}});
});

const OpSamples atan_samples(OpId::atan, [](Op& op) {
  // The quotient's rounding, that of a fit's product, and those of two sums: half an ulp each.
  op.accuracy = {.ulps = 2};
  op.elementwise({.apply = [](const Tensor& x) { return atan(x); },
                  .reference = [](Real x) { return std::atan(x); },
                  .points = {{{0}, 0, {1}, {0}},
                             {{1}, std::numbers::pi / 4, {0.5}, {-0.5}},
                             {{-inf}, -std::numbers::pi / 2, {0}, {nan}},
                             {{nan}, nan, {nan}, {nan}}}});
});

const OpSamples sinc_samples(OpId::sinc, [](Op& op) {
  // The sine's ulp and the quotient's half, each up to twice as much where the digits of both lead so.
  op.accuracy = {.ulps = 2.5};
  op.elementwise({.apply = [](const Tensor& x) { return sinc(x); },
                  .reference = [](Real x) { return sinc_of(x); },
                  .points = {{{0}, 1, {0}, {-std::numbers::pi * std::numbers::pi / 3}},
                             {{inf}, 0, {0}, {0}},
                             {{nan}, nan, {nan}, {nan}}}});
});

}}  // namespace xtgrad::testing
