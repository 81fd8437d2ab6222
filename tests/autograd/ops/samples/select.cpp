// Samples of choosing, comparing and converting.
#include <cmath>
#include <string>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/where_safe.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr double inf = infinity;
constexpr double nan = not_a_number;
const Input any{};
const Input small_integers{.domain = {.low = -2, .high = 2, .whole = true}};

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

Dtype to_bool(Dtype) { return boolean; }
Dtype to_the_other(Dtype dtype) { return dtype == float32 ? float64 : float32; }

template <class F, class R>
void compare_samples(Op& op, F compare, R reference) {
  op.accepts = Accepts::everything;
  op.elementwise({.apply = [compare](const Tensor& a, const Tensor& b) { return compare(a, b); },
                  .reference = [reference](Real a, Real b) -> Real { return reference(a, b); },
                  .inputs = {small_integers, small_integers},
                  .result = to_bool});
}

/// Every dtype takes every number, 0.5 and 2 for bool among them.
template <class F, class R>
void compare_number_samples(Op& op, F compare, R reference) {
  op.accepts = Accepts::everything;
  const auto with = [&](const std::string& attributes, Scalar number) {
    op.elementwise({.attributes = attributes,
                    .apply = [=](const Tensor& a) { return compare(a, number); },
                    .reference = [=](Real a) -> Real { return reference(a, Real{number.to_double()}); },
                    .inputs = {small_integers},
                    .result = to_bool});
  };
  with("2", 2);
  with("-1.0", -1.0);
  with("0.5", 0.5);
  with("-1.5", -1.5);
  op.throws<DtypeError>("float32 cannot hold 1e+300; convert the tensor with to(float64)",
                        [compare] { return compare(ones({2}), 1e300); });
}

const OpSamples equal_samples(OpId::equal, [](Op& op) {
  compare_samples(
      op, [](auto&&... v) { return equal(v...); }, [](Real a, Real b) { return a == b; });
});
const OpSamples equal_number_samples(OpId::equal_number, [](Op& op) {
  compare_number_samples(
      op, [](auto&&... v) { return equal(v...); }, [](Real a, Real b) { return a == b; });
});
const OpSamples not_equal_samples(OpId::not_equal, [](Op& op) {
  compare_samples(
      op, [](auto&&... v) { return not_equal(v...); }, [](Real a, Real b) { return a != b; });
});
const OpSamples not_equal_number_samples(OpId::not_equal_number, [](Op& op) {
  compare_number_samples(
      op, [](auto&&... v) { return not_equal(v...); }, [](Real a, Real b) { return a != b; });
});
const OpSamples less_samples(OpId::less, [](Op& op) {
  compare_samples(
      op, [](auto&&... v) { return less(v...); }, [](Real a, Real b) { return a < b; });
});
const OpSamples less_number_samples(OpId::less_number, [](Op& op) {
  compare_number_samples(
      op, [](auto&&... v) { return less(v...); }, [](Real a, Real b) { return a < b; });
});
const OpSamples less_equal_samples(OpId::less_equal, [](Op& op) {
  compare_samples(
      op, [](auto&&... v) { return less_equal(v...); }, [](Real a, Real b) { return a <= b; });
});
const OpSamples less_equal_number_samples(OpId::less_equal_number, [](Op& op) {
  compare_number_samples(
      op, [](auto&&... v) { return less_equal(v...); }, [](Real a, Real b) { return a <= b; });
});
const OpSamples greater_samples(OpId::greater, [](Op& op) {
  compare_samples(
      op, [](auto&&... v) { return greater(v...); }, [](Real a, Real b) { return a > b; });
});
const OpSamples greater_number_samples(OpId::greater_number, [](Op& op) {
  compare_number_samples(
      op, [](auto&&... v) { return greater(v...); }, [](Real a, Real b) { return a > b; });
});
const OpSamples greater_equal_samples(OpId::greater_equal, [](Op& op) {
  compare_samples(
      op, [](auto&&... v) { return greater_equal(v...); }, [](Real a, Real b) { return a >= b; });
});
const OpSamples greater_equal_number_samples(OpId::greater_equal_number, [](Op& op) {
  compare_number_samples(
      op, [](auto&&... v) { return greater_equal(v...); }, [](Real a, Real b) { return a >= b; });
});

const OpSamples cast_samples(OpId::cast, [](Op& op) {
  op.accuracy = {.ulps = correctly_rounded};
  op.accepts = Accepts::everything;
  // Its argument is converted to the other dtype: a conversion to its own makes no node.
  op.elementwise({.attributes = "to the other",
                  .apply = [](const Tensor& x) { return x.to(to_the_other(x.dtype())); },
                  .reference = [](Real x) { return x; },
                  .points = {{{1e3}, 1e3, {1}, {0}}, {{inf}, inf, {1}, {0}}, {{nan}, nan, {1}, {0}}},
                  .linear_in = {0},
                  .result = to_the_other});
  op.throws<DtypeError>("the value nan does not fit int64", [] { return full({2}, nan).to(int64); });
  op.throws<DtypeError>("the value -inf does not fit int64", [] { return full({2}, -inf).to(int64); });
});

}}  // namespace xtgrad::testing
