// Samples of the larger or smaller of two where NaN loses, and copied signs.
#include <cmath>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr double inf = infinity;
constexpr double nan = not_a_number;
const Input apart{.domain = {.apart = true}};
const Input nonzero{.domain = {.avoid = {0}}};

const OpSamples fmax_samples(OpId::fmax, [](Op& op) {
  op.accuracy = {.ulps = 0, .signed_zeros = false};
  op.elementwise({.apply = [](const Tensor& a, const Tensor& b) { return fmax(a, b); },
                  .reference = [](Real a, Real b) { return std::fmax(a, b); },
                  .inputs = {apart, apart},
                  .points = {{{1, 1}, 1, {0.5, 0.5}, {0, 0, 0, 0}},
                             {{nan, 2}, 2, {0, 1}, {0, 0, 0, 0}},
                             {{2, nan}, 2, {1, 0}, {0, 0, 0, 0}},
                             {{nan, nan}, nan, {1, 0}, {0, 0, 0, 0}}}});
});

const OpSamples fmin_samples(OpId::fmin, [](Op& op) {
  op.accuracy = {.ulps = 0, .signed_zeros = false};
  op.elementwise({.apply = [](const Tensor& a, const Tensor& b) { return fmin(a, b); },
                  .reference = [](Real a, Real b) { return std::fmin(a, b); },
                  .inputs = {apart, apart},
                  .points = {{{1, 1}, 1, {0.5, 0.5}, {0, 0, 0, 0}},
                             {{nan, 2}, 2, {0, 1}, {0, 0, 0, 0}},
                             {{2, nan}, 2, {1, 0}, {0, 0, 0, 0}},
                             {{inf, nan}, inf, {1, 0}, {0, 0, 0, 0}}}});
});

const OpSamples copysign_samples(OpId::copysign, [](Op& op) {
  op.elementwise({.apply = [](const Tensor& a, const Tensor& b) { return copysign(a, b); },
                  .reference = [](Real a, Real b) { return std::copysign(a, b); },
                  .inputs = {nonzero, nonzero},
                  .points = {{{2, -1}, -2, {-1, 0}, {0, 0, 0, 0}},
                             {{-2, -0.0}, -2, {1, 0}, {0, 0, 0, 0}},
                             {{0, -1}, -0.0, {-0.0, 0}, {0, 0, 0, 0}}}});
});

}}  // namespace xtgrad::testing
