// Samples of exponentials and logarithms of other bases than e.
#include <cmath>
#include <numbers>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr double inf = infinity;
constexpr double nan = not_a_number;
const Input positive{.domain = {.low = 0.3, .high = 3}};

const OpSamples exp2_samples(OpId::exp2, [](Op& op) {
  // As exp: the exponent's part times log(2) is a pair.
  op.accuracy = {.ulps = 1};
  op.elementwise({.apply = [](const Tensor& x) { return exp2(x); },
                  .reference = [](Real x) { return std::exp2(x); },
                  .points = {{{0}, 1, {std::numbers::ln2}, {std::numbers::ln2 * std::numbers::ln2}},
                             {{3}, 8, {8 * std::numbers::ln2}, {8 * std::numbers::ln2 * std::numbers::ln2}},
                             {{-inf}, 0, {0}, {0}},
                             {{inf}, inf, {inf}, {inf}},
                             {{nan}, nan, {nan}, {nan}}}});
});

const OpSamples log2_samples(OpId::log2, [](Op& op) {
  // A product of pairs, whose sum alone is rounded at the end.
  op.accuracy = {.ulps = 1};
  op.elementwise({.apply = [](const Tensor& x) { return log2(x); },
                  .reference = [](Real x) { return std::log2(x); },
                  .inputs = {positive},
                  .points = {{{1}, 0, {std::numbers::log2e}, {-std::numbers::log2e}},
                             {{8}, 3, {std::numbers::log2e / 8}, {-std::numbers::log2e / 64}},
                             {{0}, -inf, {inf}, {-inf}},
                             {{-1}, nan, {-std::numbers::log2e}, {-std::numbers::log2e}},
                             {{inf}, inf, {0}, {0}}}});
});

const OpSamples log10_samples(OpId::log10, [](Op& op) {
  // As log2.
  op.accuracy = {.ulps = 1};
  op.elementwise({.apply = [](const Tensor& x) { return log10(x); },
                  .reference = [](Real x) { return std::log10(x); },
                  .inputs = {positive},
                  .points = {{{1}, 0, {std::numbers::log10e}, {-std::numbers::log10e}},
                             {{0}, -inf, {inf}, {-inf}},
                             {{-1}, nan, {-std::numbers::log10e}, {-std::numbers::log10e}},
                             {{inf}, inf, {0}, {0}}}});
});

const OpSamples logit_samples(OpId::logit, [](Op& op) {
  // 1 - x and the quotient are rounded, each up to an ulp of the logarithm's argument. Divided by the least
  // size of the logarithm, 0.62, at the middle's ends, that is up to 2 ulps, and the logarithm adds its own.
  op.accuracy = {.ulps = 3};
  op.elementwise({.apply = [](const Tensor& x) { return logit(x); },
                  .reference =
                      [](Real x) {
                        return x > 0.25 && x < 0.75 ? std::log1p((2 * x - 1) / (1 - x))
                                                    : std::log(x) - std::log1p(-x);
                      },
                  .inputs = {{.domain = {.low = 0.05, .high = 0.95}}},
                  .points = {{{0.5}, 0, {4}, {0}},
                             {{0}, -inf, {inf}, {-inf}},
                             {{1}, inf, {inf}, {inf}},
                             {{2}, nan, {-0.5}, {0.75}},
                             {{nan}, nan, {nan}, {nan}}}});
});

}}  // namespace xtgrad::testing
