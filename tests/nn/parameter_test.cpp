#include "xtgrad/nn/parameter.h"

#include <doctest/doctest.h>

#include <utility>
#include <vector>

#include "tests/nn/support.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;
using nn::Parameter;
using nn_test::elements;

namespace {

Parameter parameter(std::initializer_list<NestedNumbers> numbers) { return Parameter(tensor(numbers)); }

}  // namespace

TEST_CASE("a parameter is a leaf that wants a gradient, without the history of its value") {
  const Tensor start = tensor({1, 2}, {.requires_grad = true}) * 3;
  const Parameter p(start);
  CHECK(p.tensor().is_leaf());
  CHECK(p.requires_grad());
  CHECK_FALSE(p.grad().defined());
  CHECK(elements(p) == std::vector<double>{3, 6});
}

TEST_CASE("a parameter is used like a tensor") {
  const Parameter p = parameter({1, 2});
  CHECK(elements(p * 0.5) == std::vector<double>{0.5, 1});
  CHECK(elements(square(p) + p) == std::vector<double>{2, 6});
  CHECK(elements(p * p) == std::vector<double>{1, 4});
}

TEST_CASE("a parameter must be floating, and says what else to use") {
  CHECK_THROWS_WITH_AS(
      Parameter(tensor({1, 2}, {.dtype = int64})),
      "Parameter: a parameter must be float32 or float64: got int64; state that is not learnt is a "
      "buffer, a plain Tensor listed by members",
      DtypeError);
}

TEST_CASE("a copy is a parameter of its own, over the same elements and without the gradient") {
  Parameter p = parameter({1, 2});
  sum(square(p)).backward();
  Parameter copy = nn::clone(p);
  CHECK(copy.cell() != p.cell());
  CHECK_FALSE(copy.grad().defined());
  const Tensor of_copy = copy, of_original = p;
  CHECK(of_copy.data<float>().data() == of_original.data<float>().data());
  sum(copy * 5).backward();
  CHECK(elements(copy.grad()) == std::vector<double>{5, 5});
  CHECK(elements(p.grad()) == std::vector<double>{2, 4});
  copy.set_value(tensor({7, 7}));
  CHECK(elements(p) == std::vector<double>{1, 2});
}

TEST_CASE("a copy is frozen if the original is") {
  Parameter p = parameter({1});
  p.set_requires_grad(false);
  CHECK_FALSE(Parameter(p).requires_grad());
}

TEST_CASE("moving keeps the slot, also while a loss is alive") {
  Parameter p = parameter({1, 2});
  const nn::ParameterRef slot = p.cell();
  const Tensor loss = sum(square(p));
  Parameter moved = std::move(p);
  CHECK(moved.cell() == slot);
  loss.backward();
  CHECK(elements(moved.grad()) == std::vector<double>{2, 4});
  Parameter assigned;
  assigned = std::move(moved);
  CHECK(assigned.cell() == slot);
}

TEST_CASE("a moved-from or default parameter says so") {
  Parameter p = parameter({1});
  const Parameter moved = std::move(p);
  const char* message =
      "Parameter: there is none here; it was default-constructed or moved from (check defined() first)";
  CHECK_FALSE(p.defined());  // NOLINT(bugprone-use-after-move): the state after a move is what is tested
  CHECK_THROWS_WITH_AS(static_cast<void>(p.tensor()), message, ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(Parameter().share()), message, ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(Parameter().grad()), message, ValueError);
  CHECK_FALSE(Parameter(p).defined());
}

TEST_CASE("assigning a parameter keeps the slot, so an optimizer that holds it goes on") {
  Parameter model = parameter({1, 2});
  const nn::ParameterRef held = model.cell();
  const Parameter best = parameter({5, 6});
  model = best;
  CHECK(model.cell() == held);
  CHECK(model.cell() != best.cell());
  CHECK(elements(held->tensor()) == std::vector<double>{5, 6});
  held->set_value(tensor({0, 0}));
  CHECK(elements(best) == std::vector<double>{5, 6});
}

TEST_CASE("assigning a parameter of another shape, dtype or none at all replaces the slot") {
  Parameter p = parameter({1, 2});
  const nn::ParameterRef held = p.cell();
  p = parameter({1, 2, 3});
  CHECK(p.cell() != held);
  CHECK(p.shape() == Shape{3});
  const Parameter doubles(tensor({1, 2, 3}, {.dtype = float64}));
  p = doubles;
  CHECK(p.dtype() == float64);
  CHECK(p.cell() != doubles.cell());
  const Parameter none;
  p = none;
  CHECK_FALSE(p.defined());
  p = doubles;
  CHECK(elements(p) == std::vector<double>{1, 2, 3});
}

TEST_CASE("a parameter assigned to itself or to a handle that shares it stays as it is") {
  Parameter p = parameter({1, 2});
  sum(p * 3).backward();
  const Parameter tied = p.share();
  p = tied;
  CHECK(p.cell() == tied.cell());
  CHECK(elements(p.grad()) == std::vector<double>{3, 3});
}

TEST_CASE("shared handles have one value and one gradient") {
  Parameter p = parameter({1, 2});
  Parameter tied = p.share();
  CHECK(tied.cell() == p.cell());
  sum(p * 2 + tied * 3).backward();
  CHECK(elements(p.grad()) == std::vector<double>{5, 5});
  CHECK(elements(tied.grad()) == std::vector<double>{5, 5});
  tied.set_value(tensor({8, 9}));
  CHECK(elements(p) == std::vector<double>{8, 9});
}

TEST_CASE("a loss recorded before an assignment still adds to the gradient, with the values of its time") {
  Parameter p = parameter({1, 2});
  const Tensor before = sum(square(p));
  p.set_value(tensor({10, 20}));
  const Tensor after = sum(square(p));
  before.backward();
  CHECK(elements(p.grad()) == std::vector<double>{2, 4});
  after.backward();
  CHECK(elements(p.grad()) == std::vector<double>{22, 44});
}

TEST_CASE("the gradient survives assignments until zero_grad") {
  Parameter p = parameter({1, 2});
  sum(p * 3).backward();
  p = tensor({5, 6});
  CHECK(elements(p) == std::vector<double>{5, 6});
  CHECK(elements(p.grad()) == std::vector<double>{3, 3});
  p.zero_grad();
  CHECK_FALSE(p.grad().defined());
}

TEST_CASE("a step of gradient descent records nothing and leaves earlier handles alone") {
  Parameter p = parameter({1, 2});
  const Tensor handle = p;
  sum(square(p)).backward();
  {
    const NoGrad no_grad;
    p.set_value(p - 0.5 * p.grad());
  }
  CHECK(p.tensor().is_leaf());
  CHECK(p.tensor().requires_grad());
  CHECK(elements(p) == std::vector<double>{0, 0});
  CHECK(elements(handle) == std::vector<double>{1, 2});
}

TEST_CASE("set_value names the parameter and both shapes or dtypes") {
  Parameter p = parameter({{1, 2}, {3, 4}});
  CHECK_THROWS_WITH_AS(p.set_value(tensor({1, 2})),
                       "set_value: shapes differ: parameter is [2, 2], the value is [2]", ShapeError);
  p.cell()->set_name("head.weight");
  CHECK_THROWS_WITH_AS(p.set_value(tensor({1, 2})),
                       "set_value: shapes differ: parameter \"head.weight\" is [2, 2], the value is [2]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(
      p.set_value(zeros({2, 2}, {.dtype = float64})),
      "set_value: dtypes differ: parameter \"head.weight\" is float32, the value is float64; "
      "convert one of them with to()",
      DtypeError);
  CHECK(elements(p) == std::vector<double>{1, 2, 3, 4});
}

TEST_CASE("to converts in place and clears the gradient, a loss of before does no harm") {
  Parameter p = parameter({1, 2});
  const nn::ParameterRef slot = p.cell();
  const Tensor loss = sum(square(p));
  sum(p).backward();
  p.to(float32);
  CHECK(p.grad().defined());
  p.to(float64);
  CHECK(p.cell() == slot);
  CHECK(p.dtype() == float64);
  CHECK(p.requires_grad());
  CHECK_FALSE(p.grad().defined());
  loss.backward();
  CHECK_FALSE(p.grad().defined());
  sum(square(p)).backward();
  CHECK(p.grad().dtype() == float64);
  CHECK_THROWS_AS(p.to(int64), DtypeError);
}

TEST_CASE("a frozen parameter gets no gradient, and stays frozen through assignment and conversion") {
  Parameter p = parameter({1, 2});
  p.set_requires_grad(false);
  const Parameter other = parameter({1, 1});
  sum(p * other).backward();
  CHECK_FALSE(p.grad().defined());
  p.set_value(tensor({3, 4}));
  CHECK_FALSE(p.requires_grad());
  p.to(float64);
  CHECK_FALSE(p.requires_grad());
  p.set_requires_grad(true);
  sum(p * 2).backward();
  CHECK(elements(p.grad()) == std::vector<double>{2, 2});
}

TEST_CASE("the name goes along with new values, into the graph") {
  Parameter p = parameter({1});
  p.cell()->set_name("scale");
  p.set_value(tensor({2}));
  CHECK(p.tensor().name() == "scale");
  CHECK(p.name() == "scale");
}

TEST_CASE("WithParameters differentiates through a step to the learning rate") {
  // loss(w) = w^2 at w = 3: a step of lr l gives w (1 - 2 l), loss 9 (1 - 2 l)^2, whose derivative is -36 (1
  // - 2 l).
  Parameter w(tensor(3, {.dtype = float64}));
  const Tensor lr = tensor(0.25, {.dtype = float64, .requires_grad = true});
  const Tensor g = grad({square(w)}, {w.tensor()}, {.create_graph = true})[0];
  const std::vector<Tensor> stepped{w - lr * g};
  Tensor after;
  {
    const nn::WithParameters scope({w.cell()}, stepped);
    CHECK(w.tensor().node() == stepped[0].node());
    after = square(w);
  }
  CHECK(w.tensor().item() == 3);
  CHECK(after.item() == 2.25);
  CHECK(grad({after}, {lr})[0].item() == -18);
}

TEST_CASE("WithParameters nests, and puts a parameter given twice back as it was") {
  const Parameter p = parameter({1});
  const std::vector<Tensor> twos{tensor({2}), tensor({3})};
  {
    const nn::WithParameters outer({p.cell(), p.cell()}, twos);
    CHECK(elements(p) == std::vector<double>{3});
    {
      const nn::WithParameters inner({p.cell()}, std::vector<Tensor>{tensor({4})});
      CHECK(elements(p) == std::vector<double>{4});
    }
    CHECK(elements(p) == std::vector<double>{3});
  }
  CHECK(elements(p) == std::vector<double>{1});
}

TEST_CASE("WithParameters refuses what does not fit and leaves the parameters alone") {
  const Parameter a = parameter({1});
  const Parameter b = parameter({2});
  const std::vector<Tensor> one{tensor({5})};
  CHECK_THROWS_WITH_AS(nn::WithParameters({a.cell(), b.cell()}, one),
                       "WithParameters: got 1 values for 2 parameters", ValueError);
  const std::vector<Tensor> wrong{tensor({5}), tensor({5, 6})};
  CHECK_THROWS_WITH_AS(nn::WithParameters({a.cell(), b.cell()}, wrong),
                       "WithParameters: shapes differ: parameter is [1], the value is [2]", ShapeError);
  CHECK(elements(a) == std::vector<double>{1});
}

TEST_CASE(
    "a parameter that was frozen after its use gets no gradient, also if it got a new value in between") {
  for (const bool replaced : {false, true}) {
    Parameter p = parameter({1, 2});
    const Tensor loss = sum(square(p));
    if (replaced) p.set_value(tensor({3, 4}));
    p.set_requires_grad(false);
    loss.backward({.keep_graph = true});
    CHECK_FALSE(p.grad().defined());
    if (!replaced) p.set_value(tensor({3, 4}));
    CHECK_FALSE(p.requires_grad());
    loss.backward({.keep_graph = true});
    CHECK_FALSE(p.grad().defined());
    p.set_requires_grad(true);
    if (!replaced) continue;  // the old leaf stays frozen
    loss.backward();
    CHECK(elements(p.grad()) == std::vector<double>{2, 4});
  }
}
