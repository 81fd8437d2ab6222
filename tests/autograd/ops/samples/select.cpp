// Samples of choosing.
#include <cmath>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/where_safe.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr double inf = infinity;
constexpr double nan = not_a_number;
const Input any{};

const OpSamples where_samples(OpId::where, [](Op& op) {
  op.accepts = Accepts::everything;
  op.elementwise(
      {.apply = [](const Tensor& mask, const Tensor& a, const Tensor& b) { return where(mask, a, b); },
       .reference = [](Real mask, Real a, Real b) { return mask != 0 ? a : b; },
       .inputs = {mask_input({}), any, any},
       .points = {{{1, 2, 3}, 2, {1, 0}, {0, 0, 0, 0}},
                  {{0, 2, 3}, 3, {0, 1}, {0, 0, 0, 0}},
                  {{1, 2, nan}, 2, {1, 0}, {0, 0, 0, 0}},
                  {{0, inf, 3}, 3, {0, 1}, {0, 0, 0, 0}}},
       .linear_in = {1, 2}});
  op.elementwise({.attributes = "b=7",
                  .apply = [](const Tensor& mask, const Tensor& a) { return where(mask, a, 7); },
                  .reference = [](Real mask, Real a) { return mask != 0 ? a : 7; },
                  .inputs = {mask_input({}), any},
                  .points = {{{1, 2}, 2, {1}, {0}}, {{0, nan}, 7, {0}, {0}}},
                  .linear_in = {1},
                  .integers = false});
  op.throws<DtypeError>("the mask must be bool, got float32; compare it first",
                        [] { return where(ones({2}), ones({2}), ones({2})); });
  op.throws<DtypeError>("where: int64 cannot hold 0.5", [] {
    return where(ones({2}, {.dtype = boolean}), ones({2}, {.dtype = int64}), 0.5);
  });
});

const OpSamples where_safe_samples(OpId::where_safe, [](Op& op) {
  op.accuracy = {.ulps = correctly_rounded};
  op.parts = {OpId::where, OpId::sqrt};
  op.elementwise({.attributes = "sqrt",
                  .apply =
                      [](const Tensor& mask, const Tensor& x) {
                        return where_safe(
                            mask, x, [](const Tensor& t) { return sqrt(t); }, 0);
                      },
                  .reference = [](Real mask, Real x) { return mask != 0 ? std::sqrt(x) : 0; },
                  .inputs = {mask_input({}), {.domain = {.low = 0.3, .high = 3}}},
                  .points = {{{1, 4}, 2, {0.25}, {-1.0 / 32}},
                             {{0, 0}, 0, {0}, {0}},  // where alone would give 0 * inf
                             {{0, -1}, 0, {0}, {0}},
                             {{0, nan}, 0, {0}, {0}}}});
});

}}  // namespace xtgrad::testing
