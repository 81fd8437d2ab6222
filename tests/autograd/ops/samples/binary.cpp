// Samples of the elementwise operations of two tensors.
#include <cmath>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr double inf = infinity;
constexpr double nan = not_a_number;
const Input any{};
const Input positive{.domain = {.low = 0.3, .high = 3}};
const Input nonzero{.domain = {.avoid = {0}}};
const Input apart{.domain = {.apart = true}};

const OpSamples add_samples(OpId::add, [](Op& op) {
  op.accuracy = {.ulps = correctly_rounded};
  op.accepts = Accepts::numbers;
  op.equal_gradients = true;
  op.elementwise({.apply = [](const Tensor& a, const Tensor& b) { return a + b; },
                  .reference = [](Real a, Real b) { return a + b; },
                  .inputs = {any, any},
                  .points = {{{inf, -inf}, nan, {1, 1}, {0, 0, 0, 0}}, {{2, 3}, 5, {1, 1}, {0, 0, 0, 0}}},
                  .linear_in = {0, 1}});
});

const OpSamples sub_samples(OpId::sub, [](Op& op) {
  op.accuracy = {.ulps = correctly_rounded};
  op.accepts = Accepts::numbers;
  op.elementwise({.apply = [](const Tensor& a, const Tensor& b) { return a - b; },
                  .reference = [](Real a, Real b) { return a - b; },
                  .inputs = {any, any},
                  .points = {{{inf, inf}, nan, {1, -1}, {0, 0, 0, 0}}, {{2, 3}, -1, {1, -1}, {0, 0, 0, 0}}},
                  .linear_in = {0, 1}});
});

const OpSamples mul_samples(OpId::mul, [](Op& op) {
  op.accuracy = {.ulps = correctly_rounded};
  op.accepts = Accepts::numbers;
  op.elementwise({.apply = [](const Tensor& a, const Tensor& b) { return a * b; },
                  .reference = [](Real a, Real b) { return a * b; },
                  .inputs = {any, any},
                  .points = {{{0, 3}, 0, {3, 0}, {0, 1, 1, 0}}, {{inf, 0}, nan, {0, inf}, {0, 1, 1, 0}}},
                  .linear_in = {0, 1}});
});

const OpSamples div_samples(OpId::div, [](Op& op) {
  op.accuracy = {.ulps = correctly_rounded};
  op.elementwise({.apply = [](const Tensor& a, const Tensor& b) { return a / b; },
                  .reference = [](Real a, Real b) { return a / b; },
                  .inputs = {any, nonzero},
                  .points = {{{1, 2}, 0.5, {0.5, -0.25}, {0, -0.25, -0.25, 0.25}},
                             {{1, 0}, inf, {inf, -inf}, {0, -inf, -inf, inf}},
                             {{0, 0}, nan, {inf, nan}, {0, -inf, -inf, nan}},
                             {{1, inf}, 0, {0, 0}, {0, 0, 0, 0}}},
                  .linear_in = {0},
                  .linear_exactly = false});
});

const OpSamples pow_samples(OpId::pow, [](Op& op) {
  op.accuracy = {.ulps = 1.5};
  op.elementwise({.apply = [](const Tensor& a, const Tensor& b) { return pow(a, b); },
                  .reference = [](Real a, Real b) { return std::pow(a, b); },
                  .inputs = {positive, any},
                  .points = {{{1, 2}, 1, {2, 0}, {2, 1, 1, 0}},
                             {{0, 2}, 0, {0, 0}, {2, 0, 0, 0}},  // no gradient in b at a = 0 < b
                             {{0, 0}, 1, {0, 0}, {0, 0, 0, 0}},  // nor in a at b = 0
                             {{1, 0}, 1, {0, 0}, {0, 1, 1, 0}},
                             {{0, 1}, 0, {1, 0}, {0, -inf, -inf, 0}},
                             {{-2, 3}, -8, {12, nan}, {-12, nan, nan, nan}},
                             {{0, -1}, inf, {-inf, -inf}, {inf, inf, inf, inf}}}});
});

const OpSamples maximum_samples(OpId::maximum, [](Op& op) {
  op.accepts = Accepts::numbers;
  op.elementwise({.apply = [](const Tensor& a, const Tensor& b) { return maximum(a, b); },
                  .reference = [](Real a, Real b) { return std::isnan(a) || a > b ? a : b; },
                  .inputs = {apart, apart},
                  .points = {{{2, 1}, 2, {1, 0}, {0, 0, 0, 0}},
                             {{1, 2}, 2, {0, 1}, {0, 0, 0, 0}},
                             {{3, 3}, 3, {0.5, 0.5}, {0, 0, 0, 0}},
                             {{0, -0.0}, -0.0, {0.5, 0.5}, {0, 0, 0, 0}},
                             {{inf, inf}, inf, {0.5, 0.5}, {0, 0, 0, 0}},
                             {{nan, 1}, nan, {1, 0}, {0, 0, 0, 0}},
                             {{1, nan}, nan, {0, 1}, {0, 0, 0, 0}}}});
});

const OpSamples minimum_samples(OpId::minimum, [](Op& op) {
  op.accepts = Accepts::numbers;
  op.elementwise({.apply = [](const Tensor& a, const Tensor& b) { return minimum(a, b); },
                  .reference = [](Real a, Real b) { return std::isnan(a) || a < b ? a : b; },
                  .inputs = {apart, apart},
                  .points = {{{2, 1}, 1, {0, 1}, {0, 0, 0, 0}},
                             {{1, 2}, 1, {1, 0}, {0, 0, 0, 0}},
                             {{3, 3}, 3, {0.5, 0.5}, {0, 0, 0, 0}},
                             {{-inf, -inf}, -inf, {0.5, 0.5}, {0, 0, 0, 0}},
                             {{nan, 1}, nan, {1, 0}, {0, 0, 0, 0}},
                             {{1, nan}, nan, {0, 1}, {0, 0, 0, 0}}}});
});

const OpSamples lerp_samples(OpId::lerp, [](Op& op) {
  op.parts = {OpId::sub, OpId::mul, OpId::add, OpId::where, OpId::less_number};
  op.accuracy = {.ulps = 3, .floor = 4};
  for (const double weight : {0.25, 0.75}) {
    op.elementwise({.attributes = weight < 0.5 ? "weight=0.25" : "weight=0.75",
                    .apply = [weight](const Tensor& a, const Tensor& b) { return lerp(a, b, weight); },
                    .reference =
                        [weight](Real a, Real b) {
                          return weight < 0.5 ? a + weight * (b - a) : b - (1 - weight) * (b - a);
                        },
                    .inputs = {any, any}});
  }
  op.elementwise({.apply = [](const Tensor& a, const Tensor& b, const Tensor& w) { return lerp(a, b, w); },
                  .reference = [](Real a, Real b,
                                  Real w) { return w < Real{0.5} ? a + w * (b - a) : b - (1 - w) * (b - a); },
                  .inputs = {any, any, {.domain = {.low = 0, .high = 0.45}}},
                  .points = {{{3, 0.1, 1}, 0.1, {0, 1, 0.1 - 3}, {0, 0, -1, 0, 0, 1, -1, 1, 0}}}});
});

}}  // namespace xtgrad::testing
