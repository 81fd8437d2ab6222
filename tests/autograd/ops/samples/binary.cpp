// Samples of the elementwise operations of two tensors.
#include <cmath>
#include <span>

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
  // The logarithm is a pair, so the exponential's ulp is left, and half a one where the result is subnormal.
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
  // Both terms cancel, as large as the ends are.
  op.accuracy = {.ulps = 3, .floor = 4};
  const auto of_shapes = [&op](const Shape& start, const Shape& end, double weight) {
    op.sample({.attributes = weight < 0.5 ? "weight=0.25" : "weight=0.75",
               .inputs = {{.shape = start}, {.shape = end}},
               .apply = [weight](const Tensor& a, const Tensor& b) { return lerp(a, b, weight); },
               .reference =
                   [weight](std::span<const Values> in) {
                     return fill(broadcast_shape(in), [&](const Index& at) {
                       const Real a = in[0].at(broadcast_index(at, in[0].shape));
                       const Real b = in[1].at(broadcast_index(at, in[1].shape));
                       return a + weight * (b - a);
                     });
                   },
               .nasty = false});  // a difference of the largest numbers is none
  };
  of_shapes({2, 3}, {3}, 0.25);
  of_shapes({2, 1}, {2, 3}, 0.75);
  of_shapes({}, {0, 2}, 0.75);
  op.sample(
      {.attributes = "a weight each",
       .inputs = {{.shape = {2, 3}}, {.shape = {3}}, {.shape = {2, 1}, .domain = {.low = 0, .high = 0.45}}},
       .apply = [](const Tensor& a, const Tensor& b, const Tensor& w) { return lerp(a, b, w); },
       .reference =
           [](std::span<const Values> in) {
             return fill(broadcast_shape(in), [&](const Index& at) {
               const Real a = in[0].at(broadcast_index(at, in[0].shape));
               const Real b = in[1].at(broadcast_index(at, in[1].shape));
               return a + in[2].at(broadcast_index(at, in[2].shape)) * (b - a);
             });
           },
       .nasty = false});
});

}}  // namespace xtgrad::testing
