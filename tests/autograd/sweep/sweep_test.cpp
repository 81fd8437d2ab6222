// What a sweep does with rules: which it runs, sweeps of their own, and rules that are wrong.
#include "xtgrad/autograd/sweep/sweep.h"

#include <doctest/doctest.h>

#include <cstring>
#include <vector>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;

namespace {

const TensorOptions leaf64{.dtype = float64, .requires_grad = true};

Tensor leaf(double value) { return full({}, value, leaf64); }

int rules_run = 0;

/// neg, whose rule counts its calls.
class Counted final : public detail::PrimitiveOf<Counted, detail::OpId::neg> {
 public:
  void infer(detail::InputSpecs in, detail::OutputSpecs out) const override { *out[0] = *in[0]; }
  [[nodiscard]] int alias_of(int) const override { return 0; }
  void eval(detail::Inputs, detail::Outputs) const override {}
  void vjp(detail::VjpContext& context) const override {
    ++rules_run;
    context.set(0, context.g());
  }
};

Tensor counted(const Tensor& x, int times) {
  Tensor y = x;
  for (int i = 0; i < times; ++i) y = detail::apply(Counted{}, y);
  return y;
}

}  // namespace

TEST_CASE("rules do no work for tensors that are not asked for, and grad frees nothing of theirs") {
  // A generator's parameter, and a discriminator's: two losses share the generator's graph.
  Tensor generator = leaf(2);
  Tensor discriminator = leaf(3);
  const Tensor fake = counted(generator, 5);
  const Tensor score = counted(fake * discriminator, 2);
  const Tensor loss = score * 2.0;
  const Tensor other_loss = score * 7.0;
  rules_run = 0;
  CHECK(grad({loss}, {discriminator}, {.keep_graph = true})[0].item() == 4);
  CHECK(rules_run == 2);
  rules_run = 0;
  const std::vector<Tensor> both = grad({loss}, {generator, discriminator}, {.keep_graph = true});
  CHECK(both[0].item() == 6);
  CHECK(rules_run == 7);
  rules_run = 0;
  CHECK(grad({loss}, {discriminator})[0].item() == 4);
  CHECK(rules_run == 2);
  // The generator's part is whole.
  rules_run = 0;
  CHECK(grad({fake}, {generator}, {.keep_graph = true})[0].item() == 1);
  CHECK(rules_run == 5);
  SUBCASE("inputs older and younger than what is not asked for") {
    const Tensor late = leaf(5);
    const Tensor sum_of_all = fake * late + late;
    rules_run = 0;
    CHECK(grad({sum_of_all}, {late})[0].item() == 3);
    CHECK(rules_run == 0);
  }
  static_cast<void>(other_loss);
}

namespace {

/// exp(x), whose rule runs a graph of its own: a sweep inside a sweep, as checkpointing does.
class NestedExp final : public detail::PrimitiveOf<NestedExp, detail::OpId::exp> {
 public:
  [[nodiscard]] detail::Reads reads(detail::Wanted) const override { return input_bit(0); }
  void infer(detail::InputSpecs in, detail::OutputSpecs out) const override { *out[0] = *in[0]; }
  void eval(detail::Inputs in, detail::Outputs out) const override {
    const NoGrad no_grad;
    const Tensor y = exp(detail::make_constant(*in[0]));
    std::memcpy(out[0]->buffer.data(), detail::array_of(y).buffer.data(), out[0]->buffer.bytes());
  }
  void vjp(detail::VjpContext& context) const override {
    const EnableGrad enable;
    const Tensor x = context.input(0);
    Tensor again = x.detach();
    again.set_requires_grad();
    const Tensor y = exp(again);
    context.set(0, grad({y}, {again}, {.cotangents = {context.g()}})[0]);
  }
};

}  // namespace

TEST_CASE("a rule may sweep a graph of its own") {
  Tensor x = leaf(0.5);
  Tensor y = x;
  for (int i = 0; i < 3; ++i) y = detail::apply(NestedExp{}, y) * 0.5;
  y.backward();
  Tensor plain = leaf(0.5);
  Tensor z = plain;
  for (int i = 0; i < 3; ++i) z = exp(z) * 0.5;
  z.backward();
  CHECK(x.grad().item() == plain.grad().item());
}

namespace {

/// A rule that returns a gradient of the wrong shape.
class WrongShape final : public detail::PrimitiveOf<WrongShape, detail::OpId::neg> {
 public:
  void infer(detail::InputSpecs in, detail::OutputSpecs out) const override { *out[0] = *in[0]; }
  [[nodiscard]] int alias_of(int) const override { return 0; }
  void eval(detail::Inputs, detail::Outputs) const override {}
  void vjp(detail::VjpContext& context) const override { context.set(0, sum(context.g())); }
};

/// A rule that reads what it did not declare.
class Undeclared final : public detail::PrimitiveOf<Undeclared, detail::OpId::neg> {
 public:
  void infer(detail::InputSpecs in, detail::OutputSpecs out) const override { *out[0] = *in[0]; }
  [[nodiscard]] int alias_of(int) const override { return 0; }
  void eval(detail::Inputs, detail::Outputs) const override {}
  void vjp(detail::VjpContext& context) const override {
    context.set(0, context.g() * Tensor(context.input(0)));
  }
};

}  // namespace

TEST_CASE("a broken rule is an internal error that names the operation") {
  const Tensor x = zeros({2}, leaf64);
  CHECK_THROWS_WITH_AS(sum(detail::apply(WrongShape{}, x)).backward(),
                       doctest::Contains("neg: its rule gave input 0 a gradient of float64 []"),
                       InternalError);
  CHECK_THROWS_WITH_AS(sum(detail::apply(Undeclared{}, x)).backward(),
                       doctest::Contains("neg: its rule reads input 0, which it did not declare"),
                       InternalError);
}
