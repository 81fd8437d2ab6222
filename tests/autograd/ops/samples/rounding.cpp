// Samples of whole numbers nearby.
#include <cmath>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr double inf = infinity;
constexpr double nan = not_a_number;

const OpSamples floor_samples(OpId::floor, [](Op& op) {
  op.accepts = Accepts::numbers;
  op.elementwise({.apply = [](const Tensor& x) { return floor(x); },
                  .reference = [](Real x) { return std::floor(x); },
                  .inputs = {{.domain = {.low = -0.9, .high = -0.1}}},
                  .points = {{{2}, 2, {0}, {0}},
                             {{-0.5}, -1, {0}, {0}},
                             {{-0.0}, -0.0, {0}, {0}},
                             {{inf}, inf, {0}, {0}},
                             {{nan}, nan, {0}, {0}}}});
});

const OpSamples ceil_samples(OpId::ceil, [](Op& op) {
  op.accepts = Accepts::numbers;
  op.elementwise({.apply = [](const Tensor& x) { return ceil(x); },
                  .reference = [](Real x) { return std::ceil(x); },
                  .inputs = {{.domain = {.low = -0.9, .high = -0.1}}},
                  .points = {{{2}, 2, {0}, {0}},
                             {{-0.5}, -0.0, {0}, {0}},
                             {{0.25}, 1, {0}, {0}},
                             {{-inf}, -inf, {0}, {0}},
                             {{nan}, nan, {0}, {0}}}});
});

const OpSamples trunc_samples(OpId::trunc, [](Op& op) {
  op.accepts = Accepts::numbers;
  op.elementwise({.apply = [](const Tensor& x) { return trunc(x); },
                  .reference = [](Real x) { return std::trunc(x); },
                  .inputs = {{.domain = {.low = -0.9, .high = -0.1}}},
                  .points = {{{2.75}, 2, {0}, {0}},
                             {{-2.75}, -2, {0}, {0}},
                             {{-0.5}, -0.0, {0}, {0}},
                             {{inf}, inf, {0}, {0}},
                             {{nan}, nan, {0}, {0}}}});
});

const OpSamples round_samples(OpId::round, [](Op& op) {
  op.accepts = Accepts::numbers;
  op.elementwise({.apply = [](const Tensor& x) { return round(x); },
                  .reference = [](Real x) { return std::nearbyint(x); },
                  .inputs = {{.domain = {.low = 1.6, .high = 2.4}}},
                  .points = {{{0.5}, 0, {0}, {0}},
                             {{1.5}, 2, {0}, {0}},
                             {{2.5}, 2, {0}, {0}},
                             {{-0.5}, -0.0, {0}, {0}},
                             {{-1.5}, -2, {0}, {0}},
                             {{0.49999999999999994}, 0, {0}, {0}},
                             {{inf}, inf, {0}, {0}},
                             {{nan}, nan, {0}, {0}}}});
});

const OpSamples frac_samples(OpId::frac, [](Op& op) {
  op.accepts = Accepts::numbers;
  op.elementwise({.apply = [](const Tensor& x) { return frac(x); },
                  .reference = [](Real x) { return x - std::trunc(x); },
                  .inputs = {{.domain = {.low = -0.9, .high = -0.1}}},
                  .points = {{{2.75}, 0.75, {1}, {0}},
                             {{-2.75}, -0.75, {1}, {0}},
                             {{3}, 0, {1}, {0}},
                             {{inf}, nan, {1}, {0}}}});
});

}}  // namespace xtgrad::testing
