#include "xtgrad/autograd/grad.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;

namespace {

const TensorOptions leaf64{.dtype = float64, .requires_grad = true};

Tensor leaf(double value) { return full({}, value, leaf64); }

}  // namespace

TEST_CASE("backward adds to the gradients of leaves, again and again") {
  Tensor x = leaf(3);
  Tensor w = leaf(2);
  (x * w + square(x)).backward();
  CHECK(x.grad().item() == 2 + 2 * 3);
  CHECK(w.grad().item() == 3);
  (x * w).backward();
  CHECK(x.grad().item() == 2 + 2 * 3 + 2);
  CHECK(w.grad().item() == 3 + 3);
  x.clear_grad();
  CHECK_FALSE(x.grad().defined());
}

TEST_CASE("a tensor used twice, also by one operation, gets both contributions") {
  Tensor x = leaf(1.5);
  SUBCASE("x + x") {
    (x + x).backward();
    CHECK(x.grad().item() == 2);
  }
  SUBCASE("x * x") {
    (x * x).backward();
    CHECK(x.grad().item() == 3);
  }
  SUBCASE("an inner tensor used three times") {
    const Tensor y = x * 2.0;
    (y + y * y).backward();
    CHECK(x.grad().item() == 2 + 2 * 2 * 3);
  }
}

TEST_CASE("sixty doublings are swept at once, not path by path") {
  Tensor x = leaf(1);
  Tensor y = x;
  for (int i = 0; i < 60; ++i) y = y + y;
  y.backward();
  CHECK(x.grad().item() == 0x1p60);
}

TEST_CASE("a kept handle on a gradient does not change when more is added") {
  Tensor x = leaf(1);
  (x * 2.0).backward();
  const Tensor kept = x.grad();
  const Tensor alias = x.grad().detach();
  (x * 5.0).backward();
  CHECK(kept.item() == 2);
  CHECK(alias.item() == 2);
  CHECK(x.grad().item() == 7);
}

TEST_CASE("the caller's own cotangent is never written into") {
  Tensor x = zeros({3}, leaf64);
  const Tensor cotangent = tensor({1, 2, 3}, {.dtype = float64});
  Tensor y = x + x;  // passes the cotangent itself to both sides
  y.backward({.gradient = cotangent, .keep_graph = true});
  y.backward({.gradient = cotangent});
  CHECK(cotangent.at({2}) == 3);
  CHECK(x.grad().at({2}) == 12);
}

TEST_CASE("grad returns gradients of several outputs in several inputs and touches no .grad()") {
  Tensor x = leaf(2);
  Tensor y = leaf(5);
  const Tensor product = x * y;
  const Tensor cube = x * x * x;
  const std::vector<Tensor> gradients =
      grad({product, cube}, {x, y}, {.cotangents = {full({}, 10, {.dtype = float64}), Tensor()}});
  CHECK(gradients[0].item() == 10 * 5 + 3 * 4);
  CHECK(gradients[1].item() == 10 * 2);
  CHECK_FALSE(x.grad().defined());
  CHECK_FALSE(y.grad().defined());
}

TEST_CASE("grad takes computed tensors and an output itself as inputs") {
  Tensor x = leaf(2);
  const Tensor y = x * 3.0;
  const Tensor z = y * y;
  const std::vector<Tensor> gradients = grad({z}, {y, z, x});
  CHECK(gradients[0].item() == 12);
  CHECK(gradients[1].item() == 1);
  CHECK(gradients[2].item() == 36);
}

TEST_CASE("an input that does not reach the output has no gradient, which is not zero") {
  Tensor x = leaf(2);
  Tensor unused = leaf(1);
  const Tensor y = x * 3.0;
  CHECK_THROWS_WITH_AS(static_cast<void>(grad({y}, {x, unused}, {.keep_graph = true})),
                       doctest::Contains("grad: no gradient reaches input 1"), GraphError);
  const std::vector<Tensor> gradients = grad({y}, {x, unused}, {.allow_unused = true});
  CHECK(gradients[0].item() == 3);
  CHECK_FALSE(gradients[1].defined());
  SUBCASE("the same for a way that has no derivative") {
    const Tensor stepped = sign(x) * 2.0;
    CHECK_FALSE(grad({stepped}, {x}, {.allow_unused = true})[0].defined());
  }
}

TEST_CASE("create_graph gives derivatives of any order") {
  Tensor x = leaf(0.7);
  Tensor y = pow(x, 5.0);
  for (const double expected :
       {5 * 0.7 * 0.7 * 0.7 * 0.7, 20 * 0.7 * 0.7 * 0.7, 60 * 0.7 * 0.7, 120 * 0.7, 120.0}) {
    y = grad({y}, {x}, {.create_graph = true})[0];
    CHECK(y.item() == doctest::Approx(expected).epsilon(1e-12));
  }
}

TEST_CASE("backward with create_graph leaves gradients that can be differentiated") {
  Tensor x = leaf(3);
  Tensor y = x * x * x;
  y.backward({.create_graph = true});
  const Tensor first = x.grad();
  CHECK(first.item() == 27);
  CHECK(first.requires_grad());
  x.clear_grad();
  first.backward();
  CHECK(x.grad().item() == 18);
}

TEST_CASE("NoGrad records nothing, detach cuts, EnableGrad records again") {
  Tensor x = leaf(2);
  {
    const NoGrad no_grad;
    CHECK_FALSE(is_recording());
    CHECK_FALSE((x * 2.0).requires_grad());
    const EnableGrad enable;
    CHECK((x * 2.0).requires_grad());
  }
  CHECK(is_recording());
  const Tensor cut = (x * 3.0).detach();
  CHECK_FALSE(cut.requires_grad());
  (x * cut).backward();
  CHECK(x.grad().item() == 6);
}

TEST_CASE("retain_grad keeps the gradient of a computed tensor") {
  Tensor x = leaf(2);
  const Tensor y = x * 3.0;
  const Tensor other = x * 7.0;
  y.retain_grad();
  (y * y + other).backward();
  CHECK(y.grad().item() == 12);
  CHECK_FALSE(other.grad().defined());
  CHECK(x.grad().item() == 43);
  CHECK_THROWS_WITH_AS(full({}, 1).retain_grad(), doctest::Contains("retain_grad"), GraphError);
}

TEST_CASE("a second sweep over a freed graph names the operation") {
  Tensor x = leaf(2);
  const Tensor y = tanh(x * 3.0);
  y.backward();
  CHECK_THROWS_WITH_AS(y.backward(), doctest::Contains("the graph of tanh was freed"), GraphError);
  SUBCASE("also where only an inner part was freed") {
    const Tensor inner = exp(x);
    const Tensor a = inner * 2.0;
    const Tensor b = inner * 3.0;
    a.backward();
    CHECK_THROWS_WITH_AS(b.backward(), doctest::Contains("the graph of exp was freed"), GraphError);
  }
  SUBCASE("grad says the same, and loses no part of a gradient silently") {
    CHECK_THROWS_WITH_AS(static_cast<void>(grad({y}, {x})), doctest::Contains("the graph of tanh was freed"),
                         GraphError);
    CHECK_THROWS_WITH_AS(static_cast<void>(grad({y + x}, {x}, {.allow_unused = true})),
                         doctest::Contains("the graph of tanh was freed"), GraphError);
  }
  SUBCASE("keep_graph allows it") {
    x.clear_grad();
    const Tensor z = square(x);
    z.backward({.keep_graph = true});
    z.backward();
    CHECK(x.grad().item() == 8);
  }
}

TEST_CASE("bad calls say what is wrong") {
  Tensor x = zeros({2, 3}, leaf64);
  const Tensor y = x * 2.0;
  CHECK_THROWS_WITH_AS(y.backward(), doctest::Contains("backward: output 0 has shape [2, 3]"), ShapeError);
  CHECK_THROWS_WITH_AS(y.backward({.gradient = ones({3}, {.dtype = float64})}),
                       doctest::Contains("the cotangent of output 0 has shape [3], the output has [2, 3]"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(y.backward({.gradient = ones({2, 3}, {.dtype = float32})}),
                       doctest::Contains("the cotangent of output 0 is float32, the output is float64"),
                       DtypeError);
  CHECK_THROWS_WITH_AS(full({}, 1).backward(), doctest::Contains("backward: output 0 was not computed from"),
                       GraphError);
  CHECK_THROWS_WITH_AS(static_cast<void>(grad({y}, {ones({2, 3})})),
                       doctest::Contains("grad: input 0 does not require a gradient"), GraphError);
  CHECK_THROWS_WITH_AS(static_cast<void>(grad({y, y}, {x}, {.cotangents = {y}})),
                       doctest::Contains("grad: got 1 cotangents for 2 outputs"), ValueError);
  CHECK_THROWS_WITH_AS(Tensor(y).set_requires_grad(false), doctest::Contains("computed by mul;"), GraphError);
  CHECK_THROWS_WITH_AS(arange(3).set_requires_grad(), doctest::Contains("int64 has no derivatives"),
                       DtypeError);
  CHECK_THROWS_WITH_AS(x.set_grad(ones({3}, {.dtype = float64})), doctest::Contains("set_grad"), ShapeError);
  CHECK_THROWS_WITH_AS(x.set_grad(ones({2, 3}, {.dtype = float32})),
                       doctest::Contains("set_grad: the gradient is float32, the tensor is float64"),
                       DtypeError);
  CHECK_THROWS_WITH_AS(Tensor().backward(), doctest::Contains("the handle is empty"), ValueError);
}

TEST_CASE("what an input wants is settled when it is used") {
  Tensor x = leaf(3);
  Tensor w = full({}, 2, {.dtype = float64});
  const Tensor y = x * w;  // keeps w for x's gradient, and not x, for w wants none
  w.set_requires_grad();
  y.backward();
  CHECK(x.grad().item() == 2);
  CHECK_FALSE(w.grad().defined());
}

TEST_CASE("a leaf that was frozen after its use gets no gradient") {
  for (const Dtype dtype : {float32, float64}) {
    for (const Shape& shape : {Shape{}, Shape{0}, Shape{2}}) {
      Tensor x = full(shape, 3, {.dtype = dtype, .requires_grad = true});
      Tensor w = full(shape, 2, {.dtype = dtype, .requires_grad = true});
      const Tensor y = sum(x * w + x * x);
      x.set_requires_grad(false);
      CHECK_THROWS_WITH_AS(static_cast<void>(grad({y}, {x}, {.keep_graph = true})),
                           doctest::Contains("input 0 does not require a gradient"), GraphError);
      y.backward({.keep_graph = true});
      CHECK_FALSE(x.grad().defined());
      CHECK(w.grad().shape() == shape);
      CHECK(grad({y}, {w}, {.keep_graph = true})[0].shape() == shape);
      x.set_requires_grad();  // what it wanted when it was used is still known
      y.backward();
      CHECK(x.grad().shape() == shape);
    }
  }
}

TEST_CASE("one tensor may be several inputs of grad") {
  Tensor x = leaf(3);
  const std::vector<Tensor> gradients = grad({x * x}, {x, x});
  CHECK(gradients[0].item() == 6);
  CHECK(gradients[1].item() == 6);
}

TEST_CASE("results whose bytes cannot be counted are refused before memory is touched") {
  constexpr std::int64_t huge = std::int64_t{1} << 62;
  const char* const text = "has more than 2^63 - 1 bytes";
  CHECK_THROWS_WITH_AS(static_cast<void>(pad(ones({1000}), {.high = huge - 1000})), doctest::Contains(text),
                       ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(broadcast_to(ones({}), {huge})), doctest::Contains(text),
                       ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(sum(zeros({0, huge}), {.axes = {0}})), doctest::Contains(text),
                       ShapeError);
  const std::int64_t large = std::int64_t{1} << 31;
  CHECK_THROWS_WITH_AS(static_cast<void>(matmul(zeros({large, 0}), zeros({0, large}))),
                       doctest::Contains(text), ShapeError);
}

TEST_CASE("empty tensors have empty gradients") {
  Tensor x = zeros({0, 3}, leaf64);
  const Tensor y = sum(tanh(x * 2.0));
  CHECK(y.item() == 0);
  y.backward();
  CHECK(x.grad().shape() == Shape{0, 3});
}

TEST_CASE("grad in a computed tensor leaves the graph below it whole") {
  Tensor x = leaf(2);
  const Tensor y = x * x;
  const Tensor z = exp(y) * y;
  CHECK(grad({z}, {y})[0].item() == doctest::Approx(5 * std::exp(4)));
  CHECK(grad({y}, {x})[0].item() == 4);
  SUBCASE("also where that graph is gone already") {
    const Tensor again = y * 3.0;
    CHECK(grad({again}, {y})[0].item() == 3);
    CHECK_THROWS_WITH_AS(static_cast<void>(grad({y * 3.0}, {y, x})),
                         doctest::Contains("grad: the graph of mul was freed by an earlier grad"),
                         GraphError);
  }
}

TEST_CASE("grad takes its way past more than a dozen waiting cotangents, named and retained tensors") {
  Tensor x = leaf(1);
  std::vector<Tensor> others;
  Tensor y = x * 0.0;
  std::vector<Tensor> branches;
  for (int i = 0; i < 50; ++i) {
    others.push_back(leaf(i));
    branches.push_back(x * others.back());
    if (i % 3 == 0) branches.back().set_name("branch");
    if (i % 4 == 0) branches.back().retain_grad();
  }
  for (const Tensor& branch : branches) y = y + branch * branch;
  std::vector<Tensor> all = others;
  all.push_back(x);
  const std::vector<Tensor> gradients = grad(std::span(&y, 1), all, {.keep_graph = true});
  for (int i = 0; i < 50; ++i) CHECK(gradients[static_cast<std::size_t>(i)].item() == 2 * i);
  double squares = 0;
  for (int i = 0; i < 50; ++i) squares += 2.0 * i * i;
  CHECK(gradients[50].item() == squares);
  CHECK_FALSE(branches[0].grad().defined());
  // Without x, and in two branches: a walk has to tell what is wanted.
  const std::vector<Tensor> some = grad({y}, {others[49], branches[7], others[7], branches[0]});
  CHECK(some[0].item() == 2 * 49);
  CHECK(some[1].item() == 2 * 7);
  CHECK(some[2].item() == 2 * 7);
  CHECK(some[3].item() == 0);
}
