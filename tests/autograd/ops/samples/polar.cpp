// Samples of angle and distance of a point.
#include <cmath>
#include <numbers>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr double inf = infinity;
constexpr double nan = not_a_number;
const Input nonzero{.domain = {.avoid = {0}}};

const OpSamples atan2_samples(OpId::atan2, [](Op& op) {
  // As atan, and a turn by pi in two parts.
  op.accuracy = {.ulps = 2.5};
  op.elementwise({.apply = [](const Tensor& a, const Tensor& b) { return atan2(a, b); },
                  .reference = [](Real a, Real b) { return std::atan2(a, b); },
                  .inputs = {nonzero, nonzero},
                  .points = {{{0, 1}, 0, {1, -0.0}, {-0.0, -1, -1, 0}},
                             {{-0.0, -1}, -std::numbers::pi, {-1, 0}, {0, -1, -1, 0}},
                             {{nan, 1}, nan, {nan, nan}, {nan, nan, nan, nan}}}});
});

const OpSamples hypot_samples(OpId::hypot, [](Op& op) {
  // The root is corrected by what it has lost: rounded once but for a few bits below the last.
  op.accuracy = {.ulps = 0.51};
  op.elementwise({.apply = [](const Tensor& a, const Tensor& b) { return hypot(a, b); },
                  .reference = [](Real a, Real b) { return std::hypot(a, b); },
                  .inputs = {nonzero, nonzero},
                  .points = {{{0, 2}, 2, {0, 1}, {0.5, 0, 0, 0}},
                             {{0, 0}, 0, {0, 0}, {0, 0, 0, 0}},
                             // Beside the axis: 1 / r - a^2 / r^3 would be 0.
                             {{0x1p40, 1}, 0x1p40, {1, 0x1p-40}, {0x1p-120, -0x1p-80, -0x1p-80, 0x1p-40}}}});
});

}}  // namespace xtgrad::testing
