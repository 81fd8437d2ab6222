// Samples of hyperbolic functions and their inverses.
#include <cmath>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr double inf = infinity;
constexpr double nan = not_a_number;

const OpSamples sinh_samples(OpId::sinh, [](Op& op) {
  // e^x - 1 is up to 2 ulps off, which its own quotient by e^x halves as it grows; both are halved and added.
  op.accuracy = {.ulps = 2.5};
  op.elementwise({.apply = [](const Tensor& x) { return sinh(x); },
                  .reference = [](Real x) { return std::sinh(x); },
                  .points = {{{0}, 0, {1}, {0}},
                             {{-0.0}, -0.0, {1}, {0}},
                             {{1e3}, inf, {inf}, {inf}},
                             {{-inf}, -inf, {inf}, {-inf}},
                             {{nan}, nan, {nan}, {nan}}}});
});

const OpSamples cosh_samples(OpId::cosh, [](Op& op) {
  // An exponential's ulp, of which the inverse has as much of its own smaller size, and the sum's half.
  op.accuracy = {.ulps = 2};
  op.elementwise({.apply = [](const Tensor& x) { return cosh(x); },
                  .reference = [](Real x) { return std::cosh(x); },
                  .points = {{{0}, 1, {0}, {1}},
                             {{-1e3}, inf, {-inf}, {inf}},
                             {{inf}, inf, {inf}, {inf}},
                             {{nan}, nan, {nan}, {nan}}}});
});

const OpSamples asinh_samples(OpId::asinh, [](Op& op) {
  // The logarithm's argument: a square, a root, a quotient and a sum, up to 2 ulps, which the logarithm does
  // not magnify; its own ulp.
  op.accuracy = {.ulps = 3};
  op.elementwise({.apply = [](const Tensor& x) { return asinh(x); },
                  .reference = [](Real x) { return std::asinh(x); },
                  .points = {{{0}, 0, {1}, {0}},
                             {{-0.0}, -0.0, {1}, {0}},
                             {{-inf}, -inf, {0}, {nan}},
                             {{nan}, nan, {nan}, {nan}}}});
});

const OpSamples acosh_samples(OpId::acosh, [](Op& op) {
  // As asinh, with another root.
  op.accuracy = {.ulps = 3};
  op.elementwise({.apply = [](const Tensor& x) { return acosh(x); },
                  .reference = [](Real x) { return std::acosh(x); },
                  .inputs = {{.domain = {.low = 1.2, .high = 4}}},
                  .points = {{{1}, 0, {inf}, {-inf}},
                             {{0.5}, nan, {nan}, {nan}},
                             {{-3}, nan, {nan}, {nan}},
                             {{inf}, inf, {0}, {0}},
                             {{nan}, nan, {nan}, {nan}}}});
});

const OpSamples atanh_samples(OpId::atanh, [](Op& op) {
  // 1 - |x| and the quotient are rounded, up to an ulp each of the logarithm's argument; its own ulp.
  op.accuracy = {.ulps = 3};
  op.elementwise({.apply = [](const Tensor& x) { return atanh(x); },
                  .reference = [](Real x) { return std::atanh(x); },
                  .inputs = {{.domain = {.low = -0.9, .high = 0.9}}},
                  .points = {{{0}, 0, {1}, {0}},
                             {{1}, inf, {inf}, {inf}},
                             {{-1}, -inf, {inf}, {-inf}},
                             // A difference of quotients would be 0.
                             {{0x1p-60}, 0x1p-60, {1}, {0x1p-59}},
                             {{3}, nan, {-0.125}, {0.09375}},
                             {{nan}, nan, {nan}, {nan}}}});
});

}}  // namespace xtgrad::testing
