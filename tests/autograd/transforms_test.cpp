#include "xtgrad/autograd/transforms.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;

namespace {

const TensorOptions in_double{.dtype = float64};

void check_close(const Tensor& actual, const Tensor& expected) {
  REQUIRE(actual.shape() == expected.shape());
  REQUIRE(actual.dtype() == expected.dtype());
  const auto a = actual.data<double>();
  const auto b = expected.data<double>();
  for (std::size_t i = 0; i < a.size(); ++i) CHECK(a[i] == doctest::Approx(b[i]).epsilon(1e-12));
}

/// x[0] x[1], sin(x[1]), x[2]^3
Tensor three(const Tensor& x) {
  const Tensor a = slice(x, {.stop = 1});
  const Tensor b = slice(x, {.start = 1, .stop = 2});
  const Tensor c = slice(x, {.start = 2});
  return concat({a * b, sin(b), pow(c, 3.0)});
}

const Tensor point = tensor({2, 0.5, -1}, in_double);
const Tensor three_jacobian = tensor({{0.5, 2, 0}, {0, std::cos(0.5), 0}, {0, 0, 3}}, in_double);

}  // namespace

TEST_CASE("vjp gives values and J^T u, for as many cotangents as one likes") {
  const Pullback pullback = vjp(three, point);
  check_close(pullback.outputs()[0], tensor({1, std::sin(0.5), -1}, in_double));
  const Tensor u = tensor({1, -2, 3}, in_double);
  for (int repeat = 0; repeat < 2; ++repeat) {
    check_close(pullback(u), tensor({0.5, 2 - 2 * std::cos(0.5), 9}, in_double));
  }
}

TEST_CASE("vjp of several inputs and outputs, zeros, empty handles and int64") {
  const TensorFunction f = [](std::span<const Tensor> x) {
    return std::vector<Tensor>{x[0] * x[1], sum(x[0]), argmax(x[0], 0)};
  };
  const std::vector<Tensor> inputs{tensor({1, 2}, in_double), tensor({3, 4}, in_double),
                                   tensor({5}, in_double), tensor({6}, {.dtype = int64})};
  const Pullback pullback = vjp(f, inputs);
  const std::vector<Tensor> gradients =
      pullback(std::vector<Tensor>{tensor({1, 10}, in_double), tensor(100, in_double), Tensor()});
  REQUIRE(gradients.size() == 4);
  check_close(gradients[0], tensor({103, 140}, in_double));
  check_close(gradients[1], tensor({1, 20}, in_double));
  check_close(gradients[2], tensor({0}, in_double));
  CHECK_FALSE(gradients[3].defined());
  const std::vector<Tensor> second = pullback(std::vector<Tensor>{Tensor(), tensor(1, in_double), Tensor()});
  check_close(second[0], tensor({1, 1}, in_double));
  check_close(second[1], tensor({0, 0}, in_double));
  CHECK_THROWS_WITH_AS(static_cast<void>(pullback(tensor({1, 2}, in_double))),
                       "vjp: the function has 4 inputs and 3 outputs; pass a span of cotangents", ValueError);
}

TEST_CASE("jvp gives J v, and agrees with J^T u in the inner product") {
  const Tensor v = tensor({1, -1, 2}, in_double);
  check_close(jvp(three, point, v), tensor({-1.5, -std::cos(0.5), 6}, in_double));

  const TensorFunction f = [](std::span<const Tensor> x) {
    return std::vector<Tensor>{matmul(x[0], x[1]), tanh(x[0]), argmax(x[0], 0)};
  };
  Random random(4);
  const std::vector<Tensor> inputs{randn({2, 3}, random, in_double), randn({3, 2}, random, in_double)};
  const std::vector<Tensor> tangents{randn({2, 3}, random, in_double), randn({3, 2}, random, in_double)};
  const std::vector<Tensor> cotangents{randn({2, 2}, random, in_double), randn({2, 3}, random, in_double),
                                       Tensor()};
  const JvpResult forward = jvp(f, inputs, tangents);
  const std::vector<Tensor> reverse = vjp(f, inputs)(cotangents);
  check_close(forward.outputs[0], matmul(inputs[0], inputs[1]));
  CHECK_FALSE(forward.tangents[2].defined());
  const Tensor left = sum(forward.tangents[0] * cotangents[0]) + sum(forward.tangents[1] * cotangents[1]);
  const Tensor right = sum(reverse[0] * tangents[0]) + sum(reverse[1] * tangents[1]);
  check_close(left, right);

  const JvpResult one = jvp(f, inputs, std::vector<Tensor>{Tensor(), tangents[1]});
  check_close(one.tangents[0], matmul(inputs[0], tangents[1]));
  check_close(one.tangents[1], zeros({2, 3}, in_double));
}

TEST_CASE("vjp copies no input") {
  for (const Shape& shape : {Shape{}, Shape{0}, Shape{6}, Shape{1}, Shape{2, 3}, Shape{0, 3}}) {
    CAPTURE(shape);
    for (const Dtype dtype : {float32, float64}) {
      const Tensor leaf = zeros(shape, {.dtype = dtype, .requires_grad = true});
      const Tensor recorded = leaf * 2.0;
      for (const Tensor& x : {leaf, recorded, leaf.detach()}) {
        Tensor seen;
        const Pullback pullback = vjp([&](const Tensor& t) { return (seen = t) * 3.0; }, x);
        CHECK(detail::array_of(seen).buffer.get() == detail::array_of(x).buffer.get());
        CHECK(seen.shape() == shape);
        check_close(pullback(ones_like(x)).to(float64), full(shape, 3, in_double));
      }
    }
  }
}

TEST_CASE("jvp of a constant and of the identity") {
  const Tensor v = tensor({1, 2, 3}, in_double);
  check_close(jvp([](const Tensor&) { return ones({2}, in_double); }, point, v), zeros({2}, in_double));
  check_close(jvp([](const Tensor& x) { return x; }, point, v), v);
}

TEST_CASE("jacobian has f(x)'s shape followed by x's") {
  check_close(jacobian(three, point), three_jacobian);
  const Tensor x = tensor({{1, 2}, {3, 4}}, in_double);
  const Tensor rows = jacobian([](const Tensor& t) { return sum(square(t), {.axes = {1}}); }, x);
  check_close(rows, tensor({{{2, 4}, {0, 0}}, {{0, 0}, {6, 8}}}, in_double));
  check_close(jacobian([](const Tensor& t) { return exp(t); }, tensor(0, in_double)), tensor(1, in_double));
  CHECK(jacobian([](const Tensor& t) { return t * 2.0; }, zeros({0, 3})).shape() == Shape{0, 3, 0, 3});
  CHECK(jacobian([](const Tensor& t) { return sum(t); }, zeros({0, 3})).shape() == Shape{0, 3});
}

TEST_CASE("hessian and hvp against closed forms") {
  // x0^2 x1 + x1^3: [[2 x1, 2 x0], [2 x0, 6 x1]]
  const auto f = [](const Tensor& x) {
    const Tensor a = slice(x, {.stop = 1});
    const Tensor b = slice(x, {.start = 1});
    return sum(square(a) * b + pow(b, 3.0));
  };
  const Tensor x = tensor({3, 0.5}, in_double);
  check_close(hessian(f, x), tensor({{1, 6}, {6, 3}}, in_double));
  check_close(hvp(f, x, tensor({1, -2}, in_double)), tensor({-11, 0}, in_double));
  check_close(hessian([](const Tensor& t) { return sum(t); }, x), zeros({2, 2}, in_double));
  check_close(hvp([](const Tensor& t) { return exp(t); }, tensor(1, in_double), tensor(2, in_double)),
              tensor(2 * std::exp(1.0), in_double));
}

TEST_CASE("transforms nest") {
  const auto cube = [](const Tensor& t) { return sum(pow(t, 3.0)); };
  const auto gradient = [&](const Tensor& t) { return jacobian(cube, t); };
  const Tensor x = tensor({1, 2}, in_double);
  check_close(jacobian([&](const Tensor& t) { return jacobian(gradient, t); }, x),
              tensor({{{6, 0}, {0, 0}}, {{0, 0}, {0, 6}}}, in_double));
  check_close(jvp(gradient, x, tensor({1, 1}, in_double)), tensor({6, 12}, in_double));
  check_close(hvp([&](const Tensor& t) { return sum(hvp(cube, t, t)); }, x, tensor({1, 1}, in_double)),
              tensor({12, 12}, in_double));  // sum of 6 t^2
}

TEST_CASE("what a function captures is constant to the transform, and differentiable from outside") {
  const Tensor w = tensor({2, 3}, {.dtype = float64, .requires_grad = true});
  const auto f = [&](const Tensor& x) { return sum(w * square(x)) + sum(square(w)); };
  const Tensor h = jacobian(f, w);  // at x = w: 2 w x, without the terms of w
  check_close(h, tensor({8, 18}, in_double));
  // 2 w x with x = w, both of which count from outside: d/dw sum(2 w^2) = 4 w
  check_close(grad({sum(h)}, {w})[0], tensor({8, 12}, in_double));
}

TEST_CASE("results are recorded only where recording is on") {
  const Tensor x = tensor({1, 2}, {.dtype = float64, .requires_grad = true});
  const auto f = [](const Tensor& t) { return sum(exp(t)); };
  const Tensor v = ones({2}, in_double);
  CHECK(hvp(f, x, v).requires_grad());
  CHECK(jvp(f, x, v).requires_grad());
  const NoGrad no_grad;
  CHECK_FALSE(hvp(f, x, v).requires_grad());
  CHECK_FALSE(jvp(f, x, v).requires_grad());
  CHECK_FALSE(hessian(f, x).requires_grad());
  CHECK_FALSE(jvp([&](std::span<const Tensor> t) { return std::vector<Tensor>{f(t[0])}; }, std::span(&x, 1),
                  std::span(&v, 1))
                  .outputs[0]
                  .requires_grad());
}

TEST_CASE("transforms leave x and its gradient alone") {
  const Tensor x = tensor({1, 2}, {.dtype = float64, .requires_grad = true});
  static_cast<void>(jacobian([](const Tensor& t) { return exp(t); }, x));
  CHECK_FALSE(x.grad().defined());
  const Tensor constant = tensor({1, 2}, in_double);
  static_cast<void>(jacobian([](const Tensor& t) { return exp(t); }, constant));
  CHECK_FALSE(constant.requires_grad());
}

TEST_CASE("transforms work in float32") {
  const Tensor x = tensor({1, 2});
  CHECK(jacobian([](const Tensor& t) { return square(t); }, x).dtype() == float32);
  CHECK(hvp([](const Tensor& t) { return sum(square(t)); }, x, x).at({1}) == 4);
}

TEST_CASE("transforms: bad arguments are errors that name both shapes") {
  const auto f = [](const Tensor& x) { return square(x); };
  CHECK_THROWS_WITH_AS(static_cast<void>(vjp(f, point)(ones({2}, in_double))),
                       "vjp: cotangent 0 has shape [2], it needs [3]", ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(vjp(f, point)(ones({3}))),
                       "vjp: cotangent 0 is float32, it needs float64", DtypeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(vjp(f, point)(std::vector<Tensor>{})),
                       "vjp: got 0 cotangents, it needs 1", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(jvp(f, point, ones({2}, in_double))),
                       "jvp: tangent 0 has shape [2], it needs [3]", ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(jvp(f, point, ones({3}))),
                       "jvp: tangent 0 is float32, it needs float64", DtypeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(hvp(f, point, ones({2}, in_double))),
                       "hvp: v has shape [2], it needs [3]", ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(hvp(f, point, point)),
                       "hvp: f(x) must have one element, it has shape [3]; sum it, or use jacobian",
                       ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(hessian(f, point)),
                       "hessian: f(x) must have one element, it has shape [3]; sum it, or use jacobian",
                       ShapeError);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(jacobian(f, ones({1, 1, 1, 1, 1}))),
      "jacobian: the result would have 5 + 5 dimensions, at most 8 are possible; flatten first", ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(vjp([](const Tensor&) { return Tensor(); }, point)),
                       "vjp: the function returned an empty handle as output 0", GraphError);
}
