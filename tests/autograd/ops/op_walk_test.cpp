// The walk itself: each of its checks finds what it is there to find.
#include "tests/autograd/ops/op_walk.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

/// An honest description of tanh, for the tests to spoil.
Elementwise honest() {
  return {.apply = [](const Tensor& x) { return tanh(x); },
          .reference = [](Real x) { return std::tanh(x); },
          .points = {{{0}, 0, {1}, {0}}}};
}

Op op_with(const Elementwise& operation) {
  Op op(OpId::tanh);
  op.registrations = 1;
  op.accuracy = {.ulps = 2.5};
  op.elementwise(operation);
  return op;
}

/// True if the check finds something, and the first finding contains `text` after the operation's name.
bool finds(const Op& op, Check check, const std::string& text) {
  const std::vector<std::string> found = findings_of(op, check);
  if (found.empty()) return false;
  INFO(found[0]);
  CHECK(found[0].rfind(std::string(detail::to_string(op.id)), 0) == 0);
  CHECK(found[0].find(text) != std::string::npos);
  return true;
}

TEST_CASE("op walk draws by the operation's name, not by its place in ops.def") {
  Op op(OpId::tanh);
  CHECK(seed_of(op) == 0xd93450ef07843b10);  // FNV-1a of "tanh"
  CHECK(seed_of(op) != seed_of(Op(OpId::exp)));
  Op salted = op;
  salted.salt = 1;
  CHECK(random_for(op, Check::values).next_uniform() == random_for(op, Check::values).next_uniform());
  CHECK(random_for(op, Check::values).next_uniform() != random_for(op, Check::nasty).next_uniform());
  CHECK(random_for(op, Check::values).next_uniform() != random_for(salted, Check::values).next_uniform());
}

TEST_CASE("op walk finds what is computed beside the door") {
  Op op = op_with(honest());
  REQUIRE(findings_of(op, Check::again).empty());
  op.samples[0].apply = [](const Tensor& x) {
    const Tensor wide = x.to(float64);
    return exp(from_span(wide.data<double>(), x.shape(), {.dtype = x.dtype()}));
  };
  CHECK(finds(op, Check::again, "a value is neither an input nor made by a step"));
}

TEST_CASE("op walk allows a chain of additions its roundings and no more") {
  Op op = describe(OpId::scatter_add);
  REQUIRE(findings_of(op, Check::values).empty());
  // Of no entries nothing is added, so that an ulp is too much.
  Sample empty = op.samples[5];
  REQUIRE(empty.inputs[1].shape == Shape{0, 2});
  empty.apply = [apply = empty.apply](std::span<const Tensor> in) { return apply(in) * (1 + 0x1p-52); };
  op.samples = {empty};
  CHECK(finds(op, Check::values, "ulps, 0 allowed)"));
}

TEST_CASE("op walk finds nothing wrong with an honest description") {
  const Op op = op_with(honest());
  for (const Check check : all_checks) {
    CAPTURE(to_string(check));
    CHECK(findings_of(op, check) == std::vector<std::string>{});
  }
}

TEST_CASE("op walk finds a foreign node and an unrecorded result") {
  Elementwise foreign = honest();
  foreign.apply = [](const Tensor& x) { return sin(x); };
  CHECK(finds(op_with(foreign), Check::recorded, "made a node of sin"));
  Elementwise cut = honest();
  cut.apply = [](const Tensor& x) { return tanh(x.detach()); };
  CHECK(finds(op_with(cut), Check::recorded, "is not recorded"));
}

TEST_CASE("op walk finds wrong values") {
  Elementwise wrong = honest();
  wrong.reference = [](Real x) { return std::tanh(x) * (1 + Real{1e-12}); };
  CHECK(finds(op_with(wrong), Check::values, "value, float64: element 0 of [3]"));
  Elementwise other_dtype = honest();
  other_dtype.result = [](Dtype) { return float32; };
  CHECK(finds(op_with(other_dtype), Check::values, "the result is float64, wanted float32"));
  Elementwise hides_nan = honest();
  hides_nan.reference = [](Real x) { return std::isnan(x) ? 0 : std::tanh(x); };
  CHECK(findings_of(op_with(hides_nan), Check::values).empty());
  CHECK(finds(op_with(hides_nan), Check::nasty, "is nan, wanted 0"));
  Elementwise loses_sign = honest();
  loses_sign.reference = [](Real x) { return x == 0 ? 0 : std::tanh(x); };
  CHECK(finds(op_with(loses_sign), Check::nasty, "is -0, wanted 0"));
}

TEST_CASE("op walk finds wrong exact points") {
  Elementwise value = honest();
  value.points = {{{0}, 1, {1}}};
  CHECK(finds(op_with(value), Check::exact, "value, float32: element 0 of [1] is 0, wanted 1"));
  Elementwise gradient = honest();
  gradient.points = {{{0}, 0, {0.5}}};
  CHECK(finds(op_with(gradient), Check::exact, "gradient 0, float32: element 0 of [1] is 4, wanted 2"));
  Elementwise hessian = honest();
  hessian.points = {{{0}, 0, {1}, {3}}};
  CHECK(finds(op_with(hessian), Check::exact, "second derivative 00, float32"));
}

TEST_CASE("op walk finds a map that is not linear") {
  Elementwise curved = honest();
  curved.linear_in = {0};
  curved.linear_exactly = false;
  CHECK(finds(op_with(curved), Check::adjoint, "input 0, float32: <Ax, y> is"));
}

TEST_CASE("op walk finds a function without the derivative that its rule claims") {
  Elementwise staircase = honest();
  // To the walk this is f(x) = tanh(x) + x with the rule of tanh.
  staircase.apply = [](const Tensor& x) { return tanh(x) + x.detach(); };
  CHECK(finds(op_with(staircase), Check::derivatives, "wrong gradient at order 1"));
}

TEST_CASE("op walk finds missing and misnamed errors") {
  Op op = op_with(honest());
  op.throws<ValueError>("no such text", [] { return tanh(ones({2})); });
  CHECK(finds(op, Check::errors,
              "a bad call: the message does not begin with the operation's name: \"no error\""));
  Op other = op_with(honest());
  other.throws<ValueError>("needs float32", [] { return tanh(ones({2}, {.dtype = int64})); });
  CHECK(finds(other, Check::errors, "an error of another class: tanh: needs float32"));
  Elementwise foreign = honest();
  foreign.apply = [](const Tensor& x) { return sin(x); };
  CHECK(finds(op_with(foreign), Check::errors,
              "the message does not begin with the operation's name: \"sin: needs"));
  Op careless = op_with(honest());
  careless.accepts = Accepts::numbers;
  CHECK(finds(careless, Check::errors, "bool inputs: the message does not say \"needs numbers, got bool\""));
}

TEST_CASE("op walk finds a small dtype that is taken or computed wrongly") {
  Elementwise lenient = honest();
  lenient.apply = [](const Tensor& x) { return tanh(x.dtype() == uint8 ? x.to(float32) : x); };
  CHECK(finds(op_with(lenient), Check::errors,
              "uint8 inputs: the message does not begin with the operation's name: \"no error\""));
  for (const Dtype dtype : {uint8, int32}) {
    Elementwise wrong = honest();
    wrong.apply = [dtype](const Tensor& x) { return x.dtype() == dtype ? ones_like(x) : x; };
    wrong.reference = [](Real x) { return x; };
    Op op = op_with(wrong);
    op.accepts = Accepts::everything;
    CHECK(finds(op, Check::values, "value, " + std::string(xtgrad::to_string(dtype))));
  }
}

TEST_CASE("op walk finds what stays alive") {
  std::vector<Tensor> hoard;
  Elementwise leaks = honest();
  leaks.apply = [&hoard](const Tensor& x) { return hoard.emplace_back(tanh(x)); };
  CHECK(finds(op_with(leaks), Check::release, "blocks stay alive"));
}

}}  // namespace xtgrad::testing
