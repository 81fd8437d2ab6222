#include "xtgrad/autograd/linearize.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "tests/support/message_of.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/custom_vjp.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/hooks.h"
#include "xtgrad/autograd/observe.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random_tensors.h"

namespace xtgrad { namespace {

using testing::message_of;
using testing::same_bits;

Tensor wave(const Tensor& x) { return sum(tanh(matmul(x, transpose(x))) * exp(-x), {.axes = {0}}); }

TEST_CASE("a linear map has the bits of jvp and vjp, the first time and every other time") {
  for (const Dtype dtype : {float32, float64}) {
    CAPTURE(dtype);
    Random random(5);
    const auto draw = [&](const Shape& shape) { return randn(shape, random, {.dtype = dtype}); };
    const Tensor x = draw({4, 4});
    Linearization map = linearize(wave, x);
    CHECK(same_bits(map.outputs()[0], wave(x)));
    CHECK(map.program() == nullptr);
    for (int repeat = 0; repeat < 4; ++repeat) {
      const Tensor v = draw({4, 4}), u = draw({4});
      CHECK(same_bits(map(v), jvp(wave, x, v)));
      CHECK(same_bits(map.transposed(u), vjp(wave, x)(u)));
    }
    REQUIRE(map.program() != nullptr);
    REQUIRE(map.transposed_program() != nullptr);
    // What does not depend on the vector is computed once: no tanh or exp is left.
    for (const Program* program : {map.program(), map.transposed_program()}) {
      CHECK(program->to_string().find("exp(") == std::string::npos);
      CHECK(program->to_string().find("tanh(") == std::string::npos);
    }
  }
}

TEST_CASE("results of a linear map are the caller's: a later one does not write over them") {
  const Tensor x = tensor({1, 2, 3});
  Linearization map = linearize([](const Tensor& t) { return t * t; }, x);
  const Tensor v = tensor({1, 0, 2});
  std::vector<Tensor> all;
  for (int i = 0; i < 4; ++i) all.push_back(map(v * static_cast<double>(i)));
  for (int i = 0; i < 4; ++i) {
    CHECK(same_bits(all[static_cast<std::size_t>(i)], tensor({2, 0, 12}) * static_cast<double>(i)));
    CHECK_FALSE(all[static_cast<std::size_t>(i)].requires_grad());
  }
  // Of the vector itself, too.
  Linearization same = linearize([](const Tensor& t) { return t; }, x);
  for (int i = 0; i < 3; ++i) {
    Tensor moved = same(v);
    CHECK(same_bits(moved, v));
    CHECK(moved.data<float>().data() != v.data<float>().data());
  }
}

TEST_CASE("several inputs and outputs: zeros, empty handles, integers") {
  const TensorFunction f = [](std::span<const Tensor> x) {
    return std::vector<Tensor>{x[0] * x[1], sum(x[0]), argmax(x[0], 0)};
  };
  const std::vector<Tensor> inputs{tensor({1, 2}), tensor({3, 4}), tensor({5}),
                                   tensor({6}, {.dtype = int64})};
  Linearization map = linearize(f, inputs);
  for (int repeat = 0; repeat < 3; ++repeat) {
    const std::vector<Tensor> moved = map({tensor({1, 10}), Tensor(), Tensor(), Tensor()});
    REQUIRE(moved.size() == 3);
    CHECK(same_bits(moved[0], tensor({3, 40})));
    CHECK(same_bits(moved[1], tensor(11)));
    CHECK_FALSE(moved[2].defined());
    const std::vector<Tensor> pulled = map.transposed({tensor({1, 1}), tensor(2), Tensor()});
    REQUIRE(pulled.size() == 4);
    CHECK(same_bits(pulled[0], tensor({5, 6})));
    CHECK(same_bits(pulled[1], tensor({1, 2})));
    CHECK(same_bits(pulled[2], tensor({0})));
    CHECK_FALSE(pulled[3].defined());
  }
  CHECK(message_of<ValueError>([&] {
          return map({tensor({1, 10})});
        }) == "linearize: got 1 tangents, the map needs 4");
  CHECK(message_of<ShapeError>([&] {
          return map({tensor({1}), Tensor(), Tensor(), Tensor()});
        }) == "linearize: tangent 0 has shape [1], it needs [2]");
  CHECK(message_of<DtypeError>([&] {
          return map.transposed({Tensor(), tensor(1, {.dtype = float64}), Tensor()});
        }) == "linearize: cotangent 1 is float64, it needs float32");
  CHECK(message_of<ValueError>([&] {
          return map(tensor({1, 10}));
        }) == "linearize: got 1 tangents, the map needs 4");
  CHECK(message_of<DtypeError>([] {
          return linearize([](const Tensor& t) { return t; }, tensor({1}, {.dtype = int64}));
        }) == "linearize: x must be float32 or float64: got int64");
}

TEST_CASE("tensors of no elements, and of no dimensions") {
  for (const Shape& shape : {Shape{}, Shape{0}, Shape{2, 0}}) {
    const Tensor x = ones(shape, {.dtype = float64});
    Linearization map = linearize([](const Tensor& t) { return exp(t) * t; }, x);
    for (int repeat = 0; repeat < 3; ++repeat) {
      CHECK(same_bits(map(x), jvp([](const Tensor& t) { return exp(t) * t; }, x, x)));
      CHECK(same_bits(map.transposed(x), vjp([](const Tensor& t) { return exp(t) * t; }, x)(x)));
    }
  }
}

TEST_CASE("a map stands for its point, whatever becomes of what the function captured") {
  Tensor w = tensor({2, 3}, {.requires_grad = true});
  const auto f = [&w](const Tensor& t) { return t * w; };
  Linearization map = linearize(f, tensor({1, 1}));
  const Tensor v = tensor({1, 10});
  CHECK(same_bits(map(v), tensor({2, 30})));
  w = tensor({5, 5}, {.requires_grad = true});
  CHECK(same_bits(map(v), tensor({2, 30})));
  CHECK(same_bits(map.transposed(v), tensor({2, 30})));
}

TEST_CASE("rules that no list can repeat are run each time") {
  int calls = 0;
  const auto f = [&](const Tensor& t) {
    return custom_vjp([](const Tensor& x) { return x * 2; },
                      [&](const Tensor& x, const Tensor&, const Tensor& g) {
                        ++calls;
                        return g * (sum(x).item() > 0 ? 2.0 : 3.0);
                      },
                      t, {.name = "reader"});
  };
  const Tensor x = tensor({1, 2});
  Linearization map = linearize(f, x);
  for (int repeat = 1; repeat <= 3; ++repeat) {
    CHECK(same_bits(map.transposed(x), tensor({2, 4})));
    CHECK(calls == repeat);
  }
  CHECK(map.transposed_program() == nullptr);
}

TEST_CASE("functions that hang on tensors are called each time") {
  for (const bool on_input : {false, true}) {
    int calls = 0;
    const auto f = [&](const Tensor& t) {
      Tensor h = t * t;
      on_gradient(on_input ? t : h, [&](const Tensor& g) {
        ++calls;
        return g * 2;
      });
      return h;
    };
    Linearization map = linearize(f, tensor({1, 2}));
    for (int repeat = 1; repeat <= 3; ++repeat) {
      CHECK(same_bits(map.transposed(tensor({1, 1})), tensor({4, 8})));
      CHECK(calls == repeat);
    }
  }
}

TEST_CASE("who watches sees every step") {
  Linearization map = linearize(wave, ones({2, 2}));
  const Tensor u = ones({2});
  for (int i = 0; i < 2; ++i) static_cast<void>(map.transposed(u));
  const Profile profile;
  static_cast<void>(map.transposed(u));
  CHECK(profile.rows().size() > 2);
}

TEST_CASE(
    "jacobians and hessians of many rows are recorded once: the same bits, and who captures a leaf can "
    "differentiate them") {
  Random random(2);
  const Tensor x = randn({30, 4}, random, {.dtype = float64});
  const Tensor w = randn({4, 4}, random, {.dtype = float64, .requires_grad = true});
  const auto f = [&](const Tensor& t) { return tanh(matmul(t, w.detach())); };
  const Tensor j = jacobian(f, x);
  CHECK_FALSE(j.requires_grad());
  const Pullback pullback = vjp(f, x);
  const Tensor rows = reshape(j, {120, 120});
  for (std::int64_t i = 0; i < 120; ++i) {
    std::vector<double> one(120, 0.0);
    one[static_cast<std::size_t>(i)] = 1;
    const Tensor row = pullback(reshape(from_vector(one), {30, 4}));
    CHECK(same_bits(row.detach(), reshape(slice(rows, {.start = i, .stop = i + 1}), {30, 4})));
  }
  // In something that the function captures, and in the point.
  CHECK(jacobian([&](const Tensor& t) { return tanh(matmul(t, w)); }, x).requires_grad());
  const Tensor variable = x.detach().set_requires_grad();
  CHECK(jacobian(f, variable).requires_grad());
  const auto g = [&](const Tensor& t) { return sum(exp(f(t)) * t); };
  const Tensor h = hessian(g, x);
  {
    const NoGrad no_history;
    CHECK(same_bits(h, hessian(g, x)));
    CHECK(same_bits(j, jacobian(f, x)));
  }
  CHECK_FALSE(h.requires_grad());
}

}}  // namespace xtgrad
