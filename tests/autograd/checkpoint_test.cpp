#include "xtgrad/autograd/checkpoint.h"

#include <doctest/doctest.h>

#include <functional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "tests/autograd/checkpointed.h"
#include "tests/support/message_of.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/autograd/core/compute.h"
#include "xtgrad/autograd/counter.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/hooks.h"
#include "xtgrad/autograd/memory/pool.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;
using xtgrad::checkpointed::check_same;
using xtgrad::checkpointed::leaf;
using xtgrad::checkpointed::results;
using xtgrad::testing::message_of;
using xtgrad::testing::same_bits;

TEST_CASE("checkpoint: value and gradients have the bits of the plain call") {
  for (const Dtype dtype : {float32, float64}) {
    CAPTURE(to_string(dtype));
    const std::vector<Tensor> in{leaf({5, 4}, 1, dtype), leaf({4, 3}, 2, dtype), leaf({3}, 3, dtype)};
    check_same([](auto x) { return tanh(matmul(x[0], x[1]) + x[2]); }, in);
    // Several uses of one tensor, views, masks, joined and cut tensors, and a reduction.
    check_same(
        [](auto x) {
          const Tensor h = reshape(relu(matmul(x[0], x[1]) + x[2]), {3, 5});
          const Tensor cut = slice(h, {.axis = 1, .start = 1, .stop = 4});
          const Tensor both = concat({cut * cut, exp(cut), cut}, 1);
          return sum(where(both > 0.5, both, both * 0.1), {.axes = {0}}) / (1 + square(amax(x[2])));
        },
        in);
    check_same([](auto x) { return log_softmax(matmul(x[0], x[1]), 1) * mean(x[2]); }, in);
  }
}

TEST_CASE("checkpoint: empty and 0-d tensors") {
  for (const Shape& shape : {Shape{}, Shape{0}, Shape{0, 3}, Shape{1}}) {
    CAPTURE(to_string(shape));
    const std::vector<Tensor> in{leaf(shape, 1, float32), leaf(shape, 2, float32)};
    check_same([](auto x) { return exp(x[0]) * x[1] + sin(x[0]); }, in);
  }
}

TEST_CASE("checkpoint: tensors beside the inputs get their gradients, leaves and computed ones") {
  const auto run = [](bool checkpointed) {
    const Tensor w = leaf({3, 3}, 1, float32), bias = leaf({3}, 2, float32), x = leaf({2, 3}, 3, float32);
    const Tensor made = exp(bias);
    const auto f = [&](const Tensor& v) { return tanh(matmul(v, w) * made + bias); };
    const Tensor y = checkpointed ? checkpoint(f, x) : f(x);
    sum(square(y)).backward();
    return std::vector<Tensor>{w.grad(), x.grad(), bias.grad()};
  };
  const std::vector<Tensor> plain = run(false), checkpointed = run(true);
  CHECK(same_bits(plain[0], checkpointed[0]));
  CHECK(same_bits(plain[1], checkpointed[1]));
  CHECK(same_bits(plain[2], checkpointed[2]));
}

TEST_CASE("checkpoint: any signature, none of the arguments a tensor, and more inputs than a rule can read") {
  const Tensor x = leaf({3}, 1, float32);
  struct Doubler {
    Tensor operator()(const Tensor& v, double by) { return exp(v) * by; }
  } doubler;
  CHECK(same_bits(checkpoint(doubler, x, 2.0), exp(x) * 2));
  CHECK(same_bits(checkpoint([&] { return exp(x); }), exp(x)));
  std::vector<Tensor> many;
  for (std::uint64_t i = 0; i < 70; ++i) many.push_back(leaf({2}, 100 + i, float32));
  check_same(
      [](auto in) {
        Tensor y = in[0];
        for (std::size_t i = 1; i < in.size(); ++i) y = tanh(y * in[i]);
        return y;
      },
      many);
}

TEST_CASE("checkpoint: orders 1 to 3, in inputs and in what the function captures") {
  const Tensor x = leaf({2, 3}, 1, float64).detach(), w = leaf({3, 2}, 2, float64).detach();
  const auto f = [](std::span<const Tensor> in) {
    const Tensor& captured = in[1];
    const Tensor y =
        checkpoint([&](const Tensor& v) { return tanh(matmul(v, captured)) * sum(v * v); }, in[0]);
    return std::vector<Tensor>{y};
  };
  const std::vector<Tensor> inputs{x, w};
  CHECK_NOTHROW(require_grads(f, inputs, {.order = 3}));
}

TEST_CASE("checkpoint: an input that was computed from another is a variable of its own") {
  const auto f = [](const Tensor& a, const Tensor& b) { return a * b * b; };
  const auto run = [&](bool checkpointed) {
    const Tensor a = tensor({1.5, -2}, {.dtype = float64, .requires_grad = true});
    const Tensor b = sin(a);
    const Tensor y = checkpointed ? checkpoint(f, a, b) : f(a, b);
    const Tensor d1 = grad({sum(y)}, {a}, {.create_graph = true})[0];
    const Tensor d2 = grad({sum(d1)}, {a}, {.create_graph = true})[0];
    return std::vector<Tensor>{d1, d2, grad({sum(d2)}, {a})[0]};
  };
  const std::vector<Tensor> plain = run(false), checkpointed = run(true);
  for (std::size_t k = 0; k < plain.size(); ++k) {
    CAPTURE(k);
    for (std::int64_t i = 0; i < 2; ++i) {
      CHECK(checkpointed[k].at({i}) == doctest::Approx(plain[k].at({i})).epsilon(1e-13));
    }
  }
}

TEST_CASE("checkpoint: f is called once, and its state moves once") {
  const Tensor x = leaf({64}, 1, float32);
  Random stream(5), plain_stream(5);
  Counter counter;
  int calls = 0;
  const auto f = [&](const Tensor& v, Random& random) {
    ++calls;
    ++counter;
    const Tensor first = bernoulli(v.shape(), 0.5, random);
    const Tensor noise = randn(v.shape(), random);
    return where(first, v, v * noise) * counter.state().to(float32);
  };
  const Tensor y = checkpoint([&](const Tensor& v) { return f(v, stream); }, x);
  sum(square(y)).backward({.keep_graph = true});
  const Tensor once = x.grad();
  x.clear_grad();
  sum(square(y)).backward();
  CHECK(same_bits(once, x.grad()));
  CHECK(calls == 1);
  CHECK(counter == 1);
  CHECK(stream.position() == 2);
  x.clear_grad();
  counter = 0;
  sum(square(f(x, plain_stream))).backward();
  CHECK(same_bits(once, x.grad()));
}

TEST_CASE("checkpoint: a residual beside it") {
  const auto run = [](bool checkpointed) {
    const Tensor x = leaf({8}, 1, float32), w = leaf({8}, 2, float32);
    const auto f = [&](const Tensor& v) { return tanh(v * w); };
    Tensor y = x;
    for (int i = 0; i < 5; ++i) y = y + (checkpointed ? checkpoint(f, y) : f(y));
    sum(square(y)).backward();
    return std::vector<Tensor>{x.grad(), w.grad()};
  };
  const std::vector<Tensor> plain = run(false), checkpointed = run(true);
  CHECK(same_bits(plain[0], checkpointed[0]));
  CHECK(same_bits(plain[1], checkpointed[1]));
}

TEST_CASE("checkpoint: only what is asked for gets a gradient, and frozen inputs none") {
  const Tensor x = leaf({3}, 1, float32), constant = leaf({3}, 3, float32).detach();
  Tensor w = leaf({3}, 2, float32);
  const Tensor y = checkpoint([&](const Tensor& v) { return exp(v * w) * constant; }, x);
  const Tensor only = grad({sum(y)}, {w}, {.keep_graph = true})[0];
  CHECK(same_bits(only, grad({sum(exp(x * w) * constant)}, {w})[0]));
  w.set_requires_grad(false);
  sum(y).backward();
  CHECK(x.grad().defined());
  CHECK_FALSE(w.grad().defined());
}

TEST_CASE("checkpoint: what needs no graph is plainly called") {
  const Tensor x = leaf({3}, 1, float32), constant = ones({3});
  CHECK(grad({sum(checkpoint([](const Tensor& v) { return v; }, x))}, {x})[0].at({0}) == 1);
  CHECK_FALSE(checkpoint([&](const Tensor&) { return constant; }, x).requires_grad());
  CHECK_FALSE(checkpoint([](const Tensor& v) { return exp(v); }, constant).requires_grad());
  CHECK_FALSE(checkpoint([](const Tensor& v) { return v > 0; }, x).requires_grad());
  const NoGrad no_grad;
  CHECK_FALSE(checkpoint([](const Tensor& v) { return exp(v); }, x).requires_grad());
}

TEST_CASE("checkpoint: errors") {
  const Tensor x = leaf({3}, 1, float32);
  CHECK(message_of<GraphError>([&] {
          static_cast<void>(checkpoint([](const Tensor&) { return Tensor(); }, x));
        }) == "checkpoint: the function returned no tensor, or an empty handle");
  CHECK(
      message_of<GraphError>([&] {
        static_cast<void>(checkpoint([](const Tensor& v) { return exp(sin(v).retain_grad()); }, x));
      }) ==
      "checkpoint: retain_grad() inside the function: the result of sin is computed again for the backward, "
      "as another tensor, so its gradient would be lost");
  // What f throws passes, and leaves nothing behind.
  CHECK_THROWS_AS(static_cast<void>(checkpoint([](const Tensor& v) { return v + ones({2}); }, x)),
                  ShapeError);
  CHECK_FALSE(detail::thread_state.is_watched());
  const Tensor y = checkpoint([](const Tensor& v) { return exp(v); }, x);
  sum(y).backward();
  CHECK_THROWS_AS(sum(y).backward(), GraphError);
}

TEST_CASE("checkpoint: the backward on another thread") {
  const std::vector<Tensor> in{leaf({50}, 1, float32), leaf({50}, 2, float32)};
  const auto f = [](std::span<const Tensor> x) { return tanh(x[0] * x[1]) * exp(x[0]); };
  const std::vector<Tensor> plain = results(f, in, false);
  std::vector<Tensor> found;
  std::thread([&] { found = results(f, in, true); }).join();
  for (std::size_t i = 0; i < plain.size(); ++i) CHECK(same_bits(plain[i], found[i]));
}

TEST_CASE("checkpoint: nothing is left, swept or not") {
  const std::int64_t at_start = detail::pool_stats().live_blocks;
  {
    const Tensor x = leaf({3}, 1, float32), w = leaf({3}, 2, float32);
    const Tensor y = checkpoint(
        [&](const Tensor& v) {
          return checkpoint(
              [&](const Tensor& u) {
                return tanh(u * w) * from_span(std::vector<float>{1, 2, 3}, {3});
              },
              exp(v));
        },
        x);
    SUBCASE("never swept") {}
    SUBCASE("swept") { sum(y).backward(); }
    SUBCASE("swept and kept") { sum(y).backward({.keep_graph = true}); }
    SUBCASE("second order") {
      const Tensor d = grad({sum(y)}, {x}, {.create_graph = true})[0];
      CHECK(grad({sum(d)}, {x})[0].shape() == Shape{3});
    }
  }
  CHECK(detail::pool_stats().live_blocks == at_start);
}

TEST_CASE(
    "checkpoint: functions on a tensor inside are refused, and on inputs and the result they are called") {
  const Tensor x = leaf({3}, 1, float32);
  CHECK(message_of<GraphError>([&] {
          static_cast<void>(checkpoint(
              [](const Tensor& v) {
                const Tensor h = tanh(v);
                on_gradient(h, [](const Tensor& g) { return g; });
                return h * 2;
              },
              x));
        }) ==
        "checkpoint: hooks inside the function: the result of tanh is computed again for the backward, as "
        "another tensor, so its functions would not be called");
  int calls = 0;
  const auto count = [&calls](const Tensor& g) {
    ++calls;
    return g * 3;
  };
  on_gradient(x, count);
  const Tensor y = checkpoint([](const Tensor& v) { return v * 2; }, x);
  on_gradient(y, count);
  sum(y).backward();
  CHECK(calls == 2);
  CHECK(x.grad().at({0}) == 18);
}

TEST_CASE("checkpoint: inputs that were frozen since get no gradient, and others theirs") {
  Tensor w = leaf({3}, 1, float32);
  const Tensor x = leaf({3}, 2, float32), t = leaf({3}, 3, float32).detach();
  const Tensor y = checkpoint([&t](const Tensor& v) { return tanh(v * t); }, w) * x;
  w.set_requires_grad(false);
  sum(y).backward();
  CHECK_FALSE(w.grad().defined());
  CHECK(same_bits(x.grad(), tanh(w * t)));
}

TEST_CASE("checkpoint: an empty function is an error that says so") {
  const Tensor x = tensor({1, 2}, {.requires_grad = true});
  Tensor (*none)(const Tensor&) = nullptr;
  CHECK_THROWS_WITH_AS(static_cast<void>(checkpoint(std::function<Tensor(const Tensor&)>(), x)),
                       "checkpoint: the function is empty", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(checkpoint(Callable<Tensor(const Tensor&)>(), x)),
                       "checkpoint: the function is empty", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(checkpoint(none, x)), "checkpoint: the function is empty",
                       ValueError);
}
