// What a checkpoint takes down of its function, and leaves out.
#include "xtgrad/autograd/replay/recipe_tape.h"

#include <doctest/doctest.h>

#include <span>
#include <string>
#include <vector>

#include "tests/autograd/checkpointed.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/custom_vjp.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;
using xtgrad::checkpointed::check_same;
using xtgrad::checkpointed::leaf;
using xtgrad::checkpointed::results;
using xtgrad::testing::same_bits;
using xtgrad::testing::values;

TEST_CASE("checkpoint: what is detached, or computed under NoGrad, stays a constant") {
  const std::vector<Tensor> in{leaf({4}, 1, float64), leaf({4}, 2, float64)};
  // The same buffer as a variable and as a constant.
  check_same([](auto x) { return x[0] * x[0].detach(); }, in);
  check_same([](auto x) { return reshape(x[0], {2, 2}) * reshape(x[0].detach(), {2, 2}); }, in);
  check_same(
      [](auto x) {
        Tensor centre;
        {
          const NoGrad no_grad;
          centre = mean(exp(x[0]));
        }
        return exp(x[0]) - centre * x[1];
      },
      in);
}

TEST_CASE("checkpoint: branches on values, and constants that are made inside from C++ numbers") {
  const std::vector<Tensor> in{leaf({6}, 1, float32), leaf({6}, 2, float32)};
  check_same(
      [](auto x) {
        Tensor y = x[0] * x[1];
        for (int i = 0; i < 20; ++i) {
          const double size = sum(square(y)).item();
          const std::vector<float> factors{1, 2, 3, static_cast<float>(size), 5, 6};
          y = tanh(y * from_span(factors, {6})) + arange(6, {}, {.dtype = float32}) * size;
          if (size > 10) y = y * 0.5;
        }
        return y;
      },
      in);
}

TEST_CASE("checkpoint: a constant that lies where another value was is not taken for it") {
  const std::vector<Tensor> in{leaf({1000}, 1, float32)};  // larger than a node, which could lie there, too
  bool reused = false;
  check_same(
      [&](auto x) {
        const void* gone = nullptr;
        Tensor mask;
        {
          const NoGrad no_grad;
          const Tensor t = exp(x[0]);
          mask = t > 1;
          gone = t.template data<float>().data();
        }
        const std::vector<float> factors(1000, 3);
        const Tensor constant = from_span(factors, {1000});
        reused = constant.template data<float>().data() == gone;
        return where(mask, x[0] * constant, x[0]);
      },
      in);
  // Under the address sanitizer memory rests before it is used again.
  if (XTGRAD_POOL_PASSES_THROUGH == 0) CHECK(reused);
}

TEST_CASE("checkpoint: a gradient inside the function") {
  for (const bool create_graph : {false, true}) {
    CAPTURE(create_graph);
    const std::vector<Tensor> in{leaf({3, 3}, 1, float64), leaf({3, 3}, 2, float64)};
    check_same(
        [&](auto x) {
          const Tensor inner = sum(tanh(matmul(x[0], x[1])));
          const Tensor slope = grad({inner}, {x[0]}, {.keep_graph = true, .create_graph = create_graph})[0];
          return square(slope) + x[0] * x[1];
        },
        in);
  }
}

TEST_CASE("checkpoint: nested, and a nested one is a single step of the outer") {
  const std::vector<Tensor> in{leaf({4, 4}, 1, float32), leaf({4, 4}, 2, float32)};
  const auto inner = [](const Tensor& a, const Tensor& b) { return tanh(matmul(a, b)) * 0.9; };
  const auto plain = [&](std::span<const Tensor> x) {
    const Tensor mask = x[0] > x[1];  // a constant of the outer function that the inner one uses
    Tensor y = exp(x[0] * 0.1);
    for (int i = 0; i < 3; ++i) y = where(mask, inner(y, x[1]), y);
    return y + x[0];
  };
  const auto nested = [&](std::span<const Tensor> x) {
    const Tensor mask = x[0] > x[1];
    Tensor y = exp(x[0] * 0.1);
    for (int i = 0; i < 3; ++i) {
      y = checkpoint(
          [&](const Tensor& v) {
            const Tensor w = checkpoint([&](const Tensor& u) { return inner(u, x[1]); }, v);
            return where(mask, w, v);
          },
          y);
    }
    return y + x[0];
  };
  const std::vector<Tensor> expected = results(plain, in, false);
  const std::vector<Tensor> found = results(nested, in, true);
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(same_bits(expected[i], found[i]));

  const Tensor y = checkpoint(nested, std::span<const Tensor>(in));
  const Graph graph = graph_of(y);
  CHECK(graph.count("checkpoint") == 1);
  // A comparison, a product, exp, three inner ones, a sum.
  CHECK(graph.nodes.back().attributes == "steps=7");

  const auto f = [&](std::span<const Tensor> x) { return std::vector<Tensor>{checkpoint(nested, x)}; };
  const std::vector<Tensor> doubles{leaf({2, 2}, 1, float64).detach(), leaf({2, 2}, 2, float64).detach()};
  CHECK_NOTHROW(require_grads(f, doubles, {.order = 2}));
}

TEST_CASE("checkpoint: a function with a rule of its own inside") {
  const std::vector<Tensor> in{leaf({4}, 1, float64), leaf({4}, 2, float64)};
  const auto f = [](std::span<const Tensor> x) {
    const Tensor s =
        custom_vjp([](const Tensor& v) { return sign(v) * 2; },
                   [](const Tensor& v, const Tensor& y, const Tensor& g) { return g * v * y; }, x[0] * x[1]);
    return s * exp(x[0]);
  };
  check_same(f, in);
}

TEST_CASE("checkpoint: operations of several outputs inside") {
  const std::vector<Tensor> in{leaf({6, 4}, 1, float64), leaf({6, 4}, 2, float64)};
  check_same(
      [](auto x) {
        const std::vector<Tensor> parts = chunk(tanh(x[0] * x[1]), 3);
        return parts[0] * exp(parts[2]) + parts[0];  // one is not used
      },
      in);
  check_same(
      [](auto x) {
        const auto best = topk(x[0] * x[1], 2, {.axis = 1});
        return best.values * best.indices.to(float64) + gather(x[1], 1, best.indices);
      },
      in);
  const auto f = [](std::span<const Tensor> x) {
    const auto g = [](const Tensor& v) {
      const std::vector<Tensor> parts = chunk(v * v, 2);
      return parts[0] * parts[1];
    };
    return std::vector<Tensor>{checkpoint(g, x[0] * x[1])};
  };
  const std::vector<Tensor> small{leaf({2, 2}, 1, float64).detach(), leaf({2, 2}, 2, float64).detach()};
  CHECK_NOTHROW(require_grads(f, small, {.order = 2}));
}

TEST_CASE(
    "checkpoint: operations of several outputs are run again, with those that are used, to every order") {
  for (const Dtype dtype : {float32, float64}) {
    CAPTURE(to_string(dtype));
    const std::vector<Tensor> in{leaf({6, 4}, 1, dtype)};
    check_same([](auto x) { return sigmoid(chunk(x[0], 3)[1]) * chunk(tanh(x[0]), 3)[2]; }, in);
    check_same(
        [](auto x) {
          const auto [values, indices] = sort(tanh(x[0]), {.axis = 0});
          return values * values + gather(x[0], 0, indices);
        },
        in);
    check_same(
        [](auto x) {
          Tensor h = zeros({4}, {.dtype = x[0].dtype()});
          for (const Tensor& row : unbind(x[0])) h = tanh(h * 0.5 + row);
          return h + topk(x[0], 1, {.axis = 0}).indices.to(x[0].dtype());
        },
        in);
  }
  const std::vector<Tensor> x{leaf({4, 3}, 2, float64)};
  const auto report = check_grads(
      [](std::span<const Tensor> in) {
        return std::vector<Tensor>{checkpoint(
            [](const Tensor& v) {
              const std::vector<Tensor> halves = split(tanh(v), 2);
              return exp(halves[0]) * halves[1];
            },
            in[0])};
      },
      x, {.order = 3});
  CHECK_MESSAGE(report.ok(), report.message);
}
