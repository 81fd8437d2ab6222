// A rule of several outputs that reads one uses the caller's own node of it, as long as there is one.
#include "xtgrad/autograd/core/weak_parts.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <cstdint>
#include <memory>
#include <new>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/checkpoint.h"
#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/graph.h"
#include "xtgrad/autograd/hooks.h"
#include "xtgrad/autograd/memory/pool.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/primitive.h"

namespace xtgrad { namespace {

using testing::values;

/// Sine and cosine, each the other's derivative.
class SinCos final : public DifferentiablePrimitive<SinCos> {
 public:
  [[nodiscard]] std::string_view name() const override { return "sincos"; }
  [[nodiscard]] Counts counts(InputSpecs) const override { return {2, 0}; }
  [[nodiscard]] OutputSet reads_outputs() const override { return 0b11; }
  void infer(InputSpecs in, OutputSpecs out) const override {
    require_floating(name(), in);
    *out[0] = *out[1] = *in[0];
  }
  void eval(Inputs in, Outputs out) const override {
    if (in[0]->dtype == float32) return fill<float>(*in[0], *out[0], *out[1]);
    fill<double>(*in[0], *out[0], *out[1]);
  }
  void vjp(VjpContext& context) const override {
    Tensor sum;
    if (context.g(0).defined()) sum = context.g(0) * context.output(1);
    if (context.g(1).defined()) {
      const Tensor term = -context.g(1) * context.output(0);
      sum = sum.defined() ? sum + term : term;
    }
    if (sum.defined()) context.set(0, sum);
  }

 private:
  template <class T>
  static void fill(const Array& x, Array& sine, Array& cosine) {
    for (std::int64_t i = 0; i < x.numel(); ++i) {
      sine.mutable_data<T>()[i] = std::sin(x.data<T>()[i]);
      cosine.mutable_data<T>()[i] = std::cos(x.data<T>()[i]);
    }
  }
};

std::vector<Tensor> sincos(const Tensor& x) { return run_all(SinCos(), {x}); }

std::vector<Tensor> recorded_grad(const Tensor& y, const std::vector<Tensor>& inputs) {
  return grad(std::span(&y, 1), inputs, {.create_graph = true, .allow_unused = true});
}

TEST_CASE("weak parts: derivatives in the caller's outputs have the rule's share") {
  for (const Dtype dtype : {float32, float64}) {
    const Tensor x = tensor({0.5, -1.0}, {.dtype = dtype, .requires_grad = true});
    const std::vector<Tensor> both = sincos(x);
    // ds/dx = c: the rule's result is a use of the caller's own cosine.
    const Tensor slope = recorded_grad(sum(both[0]), {x})[0];
    const std::vector<Tensor> second = recorded_grad(sum(slope * 3 + both[1]), {both[0], both[1], x});
    CHECK_FALSE(second[0].defined());
    CHECK(values(second[1]) == std::vector<double>{4, 4});
    CHECK(values(second[2]) == values(both[0] * -4));
    // Of third order: d(4c)/dx = -4s, a use of the caller's sine.
    const std::vector<Tensor> third = recorded_grad(sum(second[2]), {both[0], both[1]});
    CHECK(values(third[0]) == std::vector<double>{-4, -4});
    CHECK_FALSE(third[1].defined());
  }
}

TEST_CASE("weak parts: the node is the same one, and the graph has no other") {
  const Tensor x = tensor({0.5}, {.dtype = float64, .requires_grad = true});
  const std::vector<Tensor> both = sincos(x);
  const Tensor second = recorded_grad(recorded_grad(sum(both[0] * both[1]), {x})[0], {x})[0];
  CHECK(graph_of(second).count("part") == 2);
  CHECK(graph_of(second).count("sincos") == 1);
}

TEST_CASE("weak parts: hooks and retained gradients of the caller's outputs see it") {
  const Tensor x = tensor({0.5, -1.0}, {.dtype = float64, .requires_grad = true});
  const std::vector<Tensor> both = sincos(x);
  both[1].retain_grad();
  std::vector<double> seen;
  const Hook hook = on_gradient(both[1], [&](const Tensor& g) {
    seen = values(g);
    return g * 2;
  });
  const Tensor slope = recorded_grad(sum(both[0]), {x})[0];
  sum(slope * slope).backward();  // of c^2: 2c
  CHECK(seen == values(both[1] * 2));
  CHECK(values(both[1].grad()) == values(both[1] * 4));
  CHECK(values(x.grad()) == values(both[1] * 4 * -both[0]));
}

TEST_CASE("weak parts: an output whose handles are gone, with and without a use that keeps its node") {
  const Tensor x = tensor({0.5, -1.0}, {.dtype = float64, .requires_grad = true});
  for (const bool is_used : {false, true}) {
    Tensor used;
    Tensor sine;
    {
      std::vector<Tensor> both = sincos(x);
      if (is_used) used = both[1] * 2;
      sine = both[0];
    }
    const Tensor slope = recorded_grad(sum(sine), {x})[0];
    const Tensor total = is_used ? sum(slope + used) : sum(slope);
    CHECK(graph_of(total).count("part") == 1);
    const Tensor second = recorded_grad(total, {x})[0];
    CHECK(values(second) == values(sine * (is_used ? -3 : -1)));
    CHECK(values(recorded_grad(sum(second), {x})[0]) == values(cos(x) * (is_used ? -3 : -1)));
  }
}

TEST_CASE("weak parts: an output whose graph was freed is not used again") {
  const Tensor x = tensor({0.5}, {.dtype = float64, .requires_grad = true});
  const std::vector<Tensor> both = sincos(x);
  sum(both[0]).backward();
  CHECK_THROWS_AS(sum(both[1]).backward(), GraphError);
  CHECK(values(both[1]) == values(cos(x)));
}

TEST_CASE("weak parts: nothing stays alive") {
  const auto use = [] {
    const Tensor x = tensor({0.5, -1.0}, {.dtype = float64, .requires_grad = true});
    const std::vector<Tensor> both = sincos(x);
    const Tensor second = recorded_grad(sum(recorded_grad(sum(both[0]), {x})[0] * both[1]), {x})[0];
    const Tensor unused = sincos(x)[0];
  };
  use();
  const std::int64_t before = detail::pool_stats().live_blocks;
  use();
  CHECK(detail::pool_stats().live_blocks == before);
}

TEST_CASE("weak parts: through checkpoint, as without it") {
  const Tensor x = tensor({0.5, -1.0}, {.dtype = float64, .requires_grad = true});
  const auto f = [](const Tensor& in) {
    const std::vector<Tensor> both = sincos(in);
    return both[0] * both[0] * both[1];
  };
  const auto second = [&x](const Tensor& y) {
    return recorded_grad(sum(recorded_grad(sum(y), {x})[0]), {x})[0];
  };
  CHECK(testing::same_bits(second(checkpoint(f, x)), second(f(x))));
}

TEST_CASE("weak parts: found while the last handle is dropped, and freed before that is done") {
  // The half steps of three threads, in the one order that hurts.
  std::atomic<bool> done{false};
  std::thread other([&done] {
    while (!done.load()) std::this_thread::yield();
  });  // or counts would not be atomic
  {
    const Tensor x = tensor({0.5, -1.0}, {.dtype = float64, .requires_grad = true});
    std::vector<Tensor> both = sincos(x);
    const Tensor loss = sum(both[1] * 2);  // its edge keeps the part
    detail::Node& part = detail::node_of(both[1]);
    const std::shared_ptr<detail::WeakParts> weak = detail::part_at(part)->weak();
    // One lets go of the last handle, and has not looked at the flags yet.
    Tensor last = std::move(both[1]);
    CHECK(part.values.decrement() == 0);
    const Tensor found = weak->find(1);
    REQUIRE(found.defined());
    loss.backward();
    detail::release_value(part);
    // Its destructor must not let go once more.
    static_cast<void>(new (&last) Tensor());
    CHECK(values(found) == values(cos(x)));
  }
  done = true;
  other.join();
}

TEST_CASE("weak parts: one thread's rules look for outputs whose last handles another drops") {
  constexpr int rounds = 2000;
  for (int round = 0; round < rounds; ++round) {
    const Tensor x = tensor({0.5, -1.0}, {.dtype = float64, .requires_grad = true});
    std::vector<Tensor> both = sincos(x);
    const Tensor sine = both[0];
    const Tensor total = sum(sine);
    std::atomic<int> ready{0};
    const auto meet = [&ready] {
      for (++ready; ready.load() < 2;) {
      }
    };
    std::thread other([&] {
      std::vector<Tensor> mine = std::move(both);
      meet();
      mine.clear();
    });
    meet();
    const Tensor slope = recorded_grad(total, {x})[0];
    const Tensor second = grad({sum(slope)}, {x})[0];
    other.join();
    REQUIRE(values(slope) == values(cos(x)));
    REQUIRE(values(second) == values(-sin(x)));
  }
}

TEST_CASE("weak parts: two threads differentiate twice while a third sweeps to free") {
  constexpr int rounds = 500;
  for (int round = 0; round < rounds; ++round) {
    const Tensor x = tensor({0.5, -1.0}, {.dtype = float64, .requires_grad = true});
    const std::vector<Tensor> both = sincos(x);
    const Tensor first = sum(both[0]);
    const Tensor freed = sum(both[1] * 1);
    std::atomic<int> ready{0};
    std::atomic<int> wrong{0};
    const auto meet = [&ready] {
      for (++ready; ready.load() < 3;) {
      }
    };
    const auto twice = [&] {
      meet();
      try {
        const Tensor slope = recorded_grad(first, {x})[0];
        if (values(slope) != values(cos(x))) ++wrong;
        if (values(grad({sum(slope)}, {x})[0]) != values(-sin(x))) ++wrong;
      } catch (const GraphError&) {  // the other one was first
      }
    };
    std::thread a(twice);
    std::thread b(twice);
    meet();
    try {
      static_cast<void>(grad({freed}, {x}));
    } catch (const GraphError&) {  // the others are in the way
    }
    a.join();
    b.join();
    REQUIRE(wrong.load() == 0);
  }
}

}}  // namespace xtgrad
