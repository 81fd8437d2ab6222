// Samples of what a division leaves.
#include <cmath>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr double inf = infinity;
constexpr double nan = not_a_number;

/// Python's %.
Real remainder_of(Real a, Real b) {
  const Real rest = std::fmod(a, b);
  if (rest == 0) return std::copysign(rest, b);
  return (rest < 0) != (b < 0) ? rest + b : rest;
}

/// Python's //.
Real floor_divide_of(Real a, Real b) {
  if (b == 0 || std::isinf(a)) return a / b;
  const Real rest = std::fmod(a, b), cut = std::nearbyint((a - rest) / b);
  const Real whole = rest != 0 && (rest < 0) != (b < 0) ? cut - 1 : cut;
  return std::isnan(rest) ? rest : whole == 0 ? std::copysign(whole, a / b) : whole;
}

const OpSamples fmod_samples(OpId::fmod, [](Op& op) {
  op.accuracy = {.ulps = correctly_rounded};
  op.accepts = Accepts::numbers;
  op.takes = [](double x) { return x != 0; };  // integers are not divided by it
  op.elementwise({.apply = [](const Tensor& a, const Tensor& b) { return fmod(a, b); },
                  .reference = [](Real a, Real b) { return std::fmod(a, b); },
                  .inputs = {{.domain = {.low = 2.3, .high = 2.9}}, {.domain = {.low = 1.0, .high = 1.1}}},
                  .points = {{{7, 3}, 1, {1, -2}, {0, 0, 0, 0}},
                             {{-7, 3}, -1, {1, 2}, {0, 0, 0, 0}},
                             {{7, -3}, 1, {1, 2}, {0, 0, 0, 0}},
                             {{1, inf}, 1, {1, -0.0}, {0, 0, 0, 0}}}});
  op.throws<ValueError>("fmod: integers must not be divided by 0, which element 1 of b [2] is", [] {
    return fmod(tensor({1, 2}, {.dtype = int64}), tensor({1, 0}, {.dtype = int64}));
  });
});

const OpSamples remainder_samples(OpId::remainder, [](Op& op) {
  op.accuracy = {.ulps = correctly_rounded};
  op.accepts = Accepts::numbers;
  op.takes = [](double x) { return x != 0; };  // integers are not divided by it
  op.elementwise({.apply = [](const Tensor& a, const Tensor& b) { return remainder(a, b); },
                  .reference = [](Real a, Real b) { return remainder_of(a, b); },
                  .inputs = {{.domain = {.low = 2.3, .high = 2.9}}, {.domain = {.low = 1.0, .high = 1.1}}},
                  .points = {{{7, 3}, 1, {1, -2}, {0, 0, 0, 0}},
                             {{-7, 3}, 2, {1, 3}, {0, 0, 0, 0}},
                             {{7, -3}, -2, {1, 3}, {0, 0, 0, 0}},
                             {{-1, inf}, inf, {1, 1}, {0, 0, 0, 0}}}});
  op.throws<ValueError>("remainder: integers must not be divided by 0, which element 1 of b [2] is", [] {
    return remainder(tensor({1, 2}, {.dtype = int64}), tensor({1, 0}, {.dtype = int64}));
  });
});

const OpSamples floor_divide_samples(OpId::floor_divide, [](Op& op) {
  // A whole number beyond the dtype's digits is rounded as every other.
  op.accuracy = {.ulps = correctly_rounded};
  op.accepts = Accepts::numbers;
  op.takes = [](double x) { return x != 0; };  // integers are not divided by it
  op.elementwise({.apply = [](const Tensor& a, const Tensor& b) { return floor_divide(a, b); },
                  .reference = [](Real a, Real b) { return floor_divide_of(a, b); },
                  .inputs = {{.domain = {.low = 2.3, .high = 2.9}}, {.domain = {.low = 1.0, .high = 1.1}}},
                  .points = {{{7, 2}, 3, {0, 0}, {0, 0, 0, 0}},
                             {{-7, 2}, -4, {0, 0}, {0, 0, 0, 0}},
                             {{1, 0}, inf, {0, 0}, {0, 0, 0, 0}},
                             {{-1, inf}, -1, {0, 0}, {0, 0, 0, 0}}}});
  op.throws<ValueError>("floor_divide: integers must not be divided by 0, which element 1 of b [2] is", [] {
    return floor_divide(tensor({1, 2}, {.dtype = int64}), tensor({1, 0}, {.dtype = int64}));
  });
});

}}  // namespace xtgrad::testing
