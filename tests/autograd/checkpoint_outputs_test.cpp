// Checkpoints of functions that give several tensors.
#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/support/message_of.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/autograd/checkpoint.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/graph.h"
#include "xtgrad/autograd/memory/pool.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random_tensors.h"

namespace xtgrad { namespace {

using testing::message_of;
using testing::same_bits;
using testing::values;

/// Hidden state and cell of a recurrent step.
struct State {
  Tensor h, c;
  int step = 0;
  friend auto tensors_of(State& s) { return std::tie(s.h, s.c); }
};

struct Cell {
  Tensor w;
  State operator()(const Tensor& x, const State& s) const {
    const std::vector<Tensor> gates = chunk(matmul(concat({x, s.h}, 1), w), 3, 1);
    const Tensor c = sigmoid(gates[0]) * s.c + tanh(gates[1]);
    return {sigmoid(gates[2]) * tanh(c), c, s.step + 1};
  }
};

Tensor leaf(const Shape& shape, std::uint64_t seed, Dtype dtype) {
  Random random(seed);
  return randn(shape, random, {.dtype = dtype, .requires_grad = true});
}

TEST_CASE("checkpoint: a recurrent cell of two outputs, unrolled, has the bits of the plain one") {
  for (const Dtype dtype : {float32, float64}) {
    const Cell cell{leaf({5, 9}, 1, dtype)};
    const Tensor x = leaf({4, 2}, 2, dtype);
    const Tensor h = leaf({4, 3}, 3, dtype);
    const std::vector<Tensor> inputs = {cell.w, x, h};
    const auto unroll = [&](bool checkpointed) {
      State s{h, zeros({4, 3}, {.dtype = dtype})};
      for (int t = 0; t < 4; ++t) s = checkpointed ? checkpoint(cell, x, s) : cell(x, s);
      CHECK(s.step == 4);
      return s;
    };
    const State plain = unroll(false);
    const State again = unroll(true);
    CHECK(graph_of(again.h).count("checkpoint") == 4);
    CHECK(graph_of(again.h).count("tanh") == 0);
    CHECK(same_bits(plain.h, again.h));
    CHECK(same_bits(plain.c, again.c));
    for (const bool uses_cell : {false, true}) {
      const auto loss_of = [&](const State& s) { return uses_cell ? sum(s.h * s.c) : sum(square(s.h)); };
      const Tensor loss = loss_of(plain);
      const Tensor loss_again = loss_of(again);
      const std::vector<Tensor> want = grad(std::span(&loss, 1), inputs, {.keep_graph = true});
      const std::vector<Tensor> got = grad(std::span(&loss_again, 1), inputs, {.keep_graph = true});
      for (std::size_t i = 0; i < want.size(); ++i) CHECK(same_bits(want[i], got[i]));
    }
  }
}

TEST_CASE("checkpoint: derivatives of orders 1 to 3 in each output alone, and in both") {
  const std::vector<Tensor> x = {tensor({0.3, -0.7}, {.dtype = float64}),
                                 tensor({1.1, 0.4}, {.dtype = float64})};
  const auto f = [](const Tensor& a, const Tensor& b) {
    const Tensor c = tanh(a * b);
    return std::pair(c * a, exp(c) + b);
  };
  for (const int which : {0, 1, 2}) {
    const auto report = check_grads(
        [&](std::span<const Tensor> in) -> std::vector<Tensor> {
          const auto [first, second] = checkpoint(f, in[0], in[1]);
          if (which < 2) return {which == 0 ? first : second};
          return {first, second};
        },
        x, {.order = 3});
    CHECK_MESSAGE(report.ok(), report.message);
  }
}

TEST_CASE("checkpoint: outputs that nothing was recorded for have the elements and wishes that they had") {
  const Tensor x = leaf({3}, 1, float32);
  const Tensor constant = ones({3});
  const auto [values_of, indices] = checkpoint(
      [](const Tensor& a) {
        auto [sorted, places] = sort(tanh(a));
        return std::pair(sorted, places);
      },
      x);
  CHECK(indices.dtype() == int64);
  CHECK_FALSE(indices.requires_grad());
  CHECK(values_of.requires_grad());
  const auto results = checkpoint(
      [&](const Tensor& a) {
        return std::vector<Tensor>{a, constant, exp(a)};
      },
      x);
  // Handles of their own on the same elements.
  CHECK(results[0].node() != x.node());
  CHECK(results[0].data<float>().data() == x.data<float>().data());
  CHECK(results[0].requires_grad());
  CHECK(results[1].node() != constant.node());
  CHECK(results[1].data<float>().data() == constant.data<float>().data());
  CHECK_FALSE(results[1].requires_grad());
  sum(results[2]).backward();
  CHECK(values(x.grad()) == values(exp(x)));
  const auto none =
      checkpoint([](const Tensor& a) { return std::pair(a.detach(), std::optional<Tensor>()); }, x);
  CHECK_FALSE(none.first.requires_grad());
  CHECK_FALSE(none.second.has_value());
}

TEST_CASE("checkpoint: one tensor given twice, and parts of one operation") {
  const Tensor x = leaf({4}, 1, float64);
  const auto [a, b] = checkpoint(
      [](const Tensor& in) {
        const Tensor y = exp(in);
        return std::pair(y, y);
      },
      x);
  CHECK(a.node() == b.node());
  CHECK(values(grad({sum(a * b)}, {x})[0]) == values(2 * exp(x) * exp(x)));
  const auto halves = checkpoint([](const Tensor& in) { return chunk(in * 2, 2); }, x);
  REQUIRE(halves.size() == 2);
  CHECK(values(grad({sum(halves[1] * 3)}, {x})[0]) == std::vector<double>{0, 0, 6, 6});
}

TEST_CASE("checkpoint: one of several outputs inside of another checkpoint, which has several, too") {
  const Tensor x = leaf({4}, 1, float64);
  const auto inner = [](const Tensor& a) { return std::pair(tanh(a), exp(a)); };
  const auto outer_with = [&](auto call) {
    return [&inner, call](const Tensor& a) {
      const auto [t, e] = call(inner, a);
      const auto [t2, e2] = call(inner, t * e);
      return std::tuple(t2, e2 + t, 7);
    };
  };
  const auto nested = outer_with([](const auto& f, const Tensor& a) { return checkpoint(f, a); });
  const auto flat = outer_with([](const auto& f, const Tensor& a) { return f(a); });
  const auto second = [&x](const Tensor& u, const Tensor& v) {
    const Tensor g = grad({sum(u) + sum(v * v)}, {x}, {.create_graph = true})[0];
    return std::pair(g, grad({sum(g * g)}, {x})[0]);
  };
  const auto [u, v, seven] = checkpoint(nested, x);
  CHECK(seven == 7);
  CHECK(graph_of(v).count("checkpoint") == 1);
  const auto [pu, pv, unused] = flat(x);
  const auto [g, gg] = second(u, v);
  const auto [pg, pgg] = second(pu, pv);
  CHECK(same_bits(g, pg));
  for (std::size_t i = 0; i < 4; ++i) CHECK(values(gg)[i] == doctest::Approx(values(pgg)[i]).epsilon(1e-14));
}

TEST_CASE("checkpoint: an output that is not used, an input frozen later, NoGrad, no tensor at all") {
  Tensor x = leaf({3}, 1, float64);
  Tensor w = leaf({3}, 2, float64);
  const auto f = [&w](const Tensor& a) { return std::pair(exp(a), a * w); };
  {
    const auto [e, p] = checkpoint(f, x);
    w.set_requires_grad(false);
    CHECK(values(grad({sum(p)}, {x})[0]) == values(w));
    w.set_requires_grad(true);
  }
  {
    const auto [e, p] = checkpoint(f, x);
    x.set_requires_grad(false);
    w.set_requires_grad(false);
    sum(e + p).backward();
    CHECK_FALSE(x.grad().defined());
    x.set_requires_grad(true);
    w.set_requires_grad(true);
  }
  {
    const NoGrad no_grad;
    CHECK_FALSE(checkpoint(f, x).first.requires_grad());
  }
  CHECK(message_of([&] { return checkpoint([](const Tensor&) { return std::vector<Tensor>(); }, x); }) ==
        "checkpoint: the function returned no tensor, or an empty handle");
}

TEST_CASE("checkpoint: of several outputs nothing is kept but they, and nothing stays alive") {
  const auto live = [] { return detail::pool_stats().live_bytes; };
  const Tensor x = leaf({1000}, 1, float64);
  const auto use = [&] {
    const std::int64_t before = live();
    const auto [a, b] = checkpoint(
        [](const Tensor& in) {
          Tensor y = in;
          for (int i = 0; i < 10; ++i) y = tanh(y * 1.5);
          return std::pair(y, exp(y));
        },
        x);
    CHECK(live() - before < 3 * 8000);
    sum(a + b).backward();
  };
  use();
  x.clear_grad();
  const std::int64_t before = live();
  use();
  x.clear_grad();
  CHECK(live() == before);
}

}}  // namespace xtgrad
