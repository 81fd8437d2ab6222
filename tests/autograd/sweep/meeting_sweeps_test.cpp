// Sweeps that meet at nodes: on two threads, nested, freeing and keeping. Run under the thread sanitizer too.
#include <doctest/doctest.h>

#include <barrier>
#include <cmath>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/memory/pool.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/sanitizers.h"
#include "xtgrad/autograd/sweep/reached_leaves.h"
#include "xtgrad/autograd/transforms.h"

using namespace xtgrad;

namespace {

#if XTGRAD_THREAD_SANITIZER
constexpr int rounds = 300;
#else
constexpr int rounds = 1000;
#endif

/// Six tanh, and two losses on top of them: what the threads share are interior nodes.
struct Shared {
  Tensor x;
  Tensor trunk;
  Tensor doubled;
  Tensor tripled;
};

Shared shared_trunk(Dtype dtype, const Shape& shape) {
  Shared graph;
  graph.x = full(shape, 0.5, {.dtype = dtype, .requires_grad = true});
  graph.trunk = graph.x;
  for (int i = 0; i < 6; ++i) graph.trunk = tanh(graph.trunk);
  graph.doubled = sum(graph.trunk * 2.0);
  graph.tripled = sum(graph.trunk * 3.0);
  return graph;
}

/// "" if the sweep came through, else what its GraphError says.
std::string swept(const std::function<void()>& sweep) {
  try {
    sweep();
    return "";
  } catch (const GraphError& error) {
    return error.what();
  }
}

struct Outcome {
  std::string first;
  std::string second;
};

/// Runs both at once.
Outcome meet(const std::function<void()>& first, const std::function<void()>& second) {
  Outcome outcome;
  std::barrier start(2);
  std::thread other([&] {
    start.arrive_and_wait();
    outcome.first = swept(first);
  });
  start.arrive_and_wait();
  outcome.second = swept(second);
  other.join();
  return outcome;
}

/// The factor of d trunk / d x that the gradient holds; an empty one holds 0.
double factor_in(const Tensor& gradient, double slope) {
  return gradient.defined() ? gradient.at({0}) / slope : 0;
}

double slope_of_trunk() {
  const Shared graph = shared_trunk(float64, {4});
  sum(graph.trunk).backward();
  return graph.x.grad().at({0});
}

void check_error(const std::string& error) {
  if (error.empty()) return;
  CAPTURE(error);
  CHECK(error.find("pass {.keep_graph = true} to the first one") != std::string::npos);
}

}  // namespace

TEST_CASE("two threads that free a shared trunk: one is right, the other right or refused") {
  const std::int64_t at_start = detail::pool_stats().live_blocks;
  const double slope = slope_of_trunk();
  for (int round = 0; round < rounds; ++round) {
    const Shared graph = shared_trunk(float64, {4});
    const Outcome outcome = meet([&] { graph.doubled.backward(); }, [&] { graph.tripled.backward(); });
    check_error(outcome.first);
    check_error(outcome.second);
    const double wanted = (outcome.first.empty() ? 2 : 0) + (outcome.second.empty() ? 3 : 0);
    REQUIRE(wanted > 0);  // whoever comes to a node first passes it
    REQUIRE(factor_in(graph.x.grad(), slope) == doctest::Approx(wanted).epsilon(1e-12));
  }
  CHECK(detail::pool_stats().live_blocks == at_start);
}

TEST_CASE("two threads that keep a shared trunk are both right") {
  const double slope = slope_of_trunk();
  for (int round = 0; round < rounds / 4; ++round) {
    const Shared graph = shared_trunk(float64, {4});
    const Outcome outcome = meet([&] { graph.doubled.backward({.keep_graph = true}); },
                                 [&] { graph.tripled.backward({.keep_graph = true}); });
    REQUIRE(outcome.first.empty());
    REQUIRE(outcome.second.empty());
    REQUIRE(factor_in(graph.x.grad(), slope) == doctest::Approx(5).epsilon(1e-12));
  }
}

TEST_CASE("one thread keeps a shared trunk, another frees it") {
  const std::int64_t at_start = detail::pool_stats().live_blocks;
  const double slope = slope_of_trunk();
  for (int round = 0; round < rounds; ++round) {
    const Shared graph = shared_trunk(float64, {4});
    const bool recorded = round % 2 == 1;
    Tensor gradient;
    const Outcome outcome = meet(
        [&] {
          gradient = grad({graph.doubled}, {graph.x}, {.keep_graph = true, .create_graph = recorded})[0];
        },
        [&] { graph.tripled.backward(); });
    check_error(outcome.first);
    REQUIRE(outcome.second.empty());  // readers never stand in the way of the one that frees
    REQUIRE(factor_in(graph.x.grad(), slope) == doctest::Approx(3).epsilon(1e-12));
    if (outcome.first.empty()) REQUIRE(factor_in(gradient, slope) == doctest::Approx(2).epsilon(1e-12));
  }
  CHECK(detail::pool_stats().live_blocks == at_start);
}

TEST_CASE("planned sweeps on two threads, and handles dropped meanwhile") {
  const std::int64_t at_start = detail::pool_stats().live_blocks;
  const double slope = slope_of_trunk();
  for (int round = 0; round < rounds; ++round) {
    Shared graph = shared_trunk(float64, {4});
    Tensor x = graph.x;
    Tensor inner = graph.trunk;
    Tensor gradient;
    graph.trunk = Tensor();
    // An inner tensor among the inputs, so that there is a plan.
    const Tensor middle = tanh(graph.x);
    const Tensor output = graph.doubled + sum(middle);
    const bool keep = round % 2 == 0;
    std::thread dropper([handle = std::move(inner)]() mutable { handle = Tensor(); });
    const Outcome outcome = meet(
        [&, output] {
          gradient = grad({output}, {middle, x}, {.keep_graph = keep})[1];
        },
        [&, loss = std::move(graph.tripled)]() mutable {
          const Tensor last = std::move(loss);
          last.backward();
        });
    dropper.join();
    check_error(outcome.first);
    check_error(outcome.second);
    const double alone = 1 - std::tanh(0.5) * std::tanh(0.5);
    if (outcome.first.empty()) REQUIRE(gradient.at({0}) == doctest::Approx(2 * slope + alone).epsilon(1e-12));
    if (outcome.second.empty()) REQUIRE(factor_in(x.grad(), slope) == doctest::Approx(3).epsilon(1e-12));
    REQUIRE((outcome.first.empty() || outcome.second.empty()));
  }
  CHECK(detail::pool_stats().live_blocks == at_start);
}

TEST_CASE("a walk to the leaves of a shared trunk, while another thread frees it") {
  const std::int64_t at_start = detail::pool_stats().live_blocks;
  for (int round = 0; round < rounds / 4; ++round) {
    const Shared graph = shared_trunk(float64, {4});
    const detail::GradientStore* const store = detail::leaf_state_of(detail::node_of(graph.x)).gradient;
    CHECK(detail::ReachedLeaves(graph.doubled).contains(store));
    const Outcome outcome =
        meet([&] { static_cast<void>(detail::ReachedLeaves(graph.doubled).contains(store)); },
             [&] { graph.tripled.backward(); });
    REQUIRE(outcome.first.empty());
    REQUIRE(outcome.second.empty());  // who walks stands in nobody's way
    CHECK_FALSE(detail::ReachedLeaves(graph.doubled).contains(store));
  }
  CHECK(detail::pool_stats().live_blocks == at_start);
}

TEST_CASE("a call that is refused before its first rule consumes nothing") {
  for (const Dtype dtype : {float32, float64}) {
    for (const Shape& shape : {Shape{}, Shape{0}, Shape{3}}) {
      CAPTURE(to_string(shape));
      Tensor x = full(shape, 0.5, {.dtype = dtype, .requires_grad = true});
      const Tensor freed = exp(x);
      sum(freed).backward();
      x.clear_grad();
      const Tensor middle = tanh(x);
      const Tensor fresh = sum(middle * 2.0);
      const Tensor spoilt = sum(freed * 3.0);
      // Planned, for an inner tensor is among the inputs: nothing at all has been swept.
      const std::string error = swept([&] {
        static_cast<void>(grad({fresh + spoilt}, {middle, x}, {.allow_unused = true}));
      });
      CHECK(error.find("grad: the graph of exp was freed by an earlier backward") == 0);
      CHECK(error.find("partial") == std::string::npos);
      fresh.backward();
      CHECK(x.grad().shape() == shape);
      // Bad cotangents are found before anything, too.
      const Tensor whole = sum(tanh(x));
      CHECK_THROWS_AS(whole.backward({.gradient = zeros({7}, {.dtype = dtype})}), ShapeError);
      CHECK_THROWS_AS(freed.backward(), std::exception);
      whole.backward();
    }
  }
}

TEST_CASE("a sweep that meets a freed node later says that gradients are partial, and stores none") {
  Tensor x = full({3}, 0.5, {.dtype = float64, .requires_grad = true});
  Tensor w = full({3}, 2, {.dtype = float64, .requires_grad = true});
  const Tensor inner = exp(x);
  const Tensor first = sum(inner * 2.0);
  const Tensor second = sum(inner * w);
  second.retain_grad();
  first.backward();
  x.clear_grad();
  const auto check = [&](bool keep) {
    const std::string error = swept([&] { second.backward({.keep_graph = keep}); });
    CHECK(error.find("backward: the graph of exp was freed by an earlier backward") == 0);
    CHECK(error.find("The gradients found before are partial, and none was stored") != std::string::npos);
    CHECK((error.find("passed by then is freed") != std::string::npos) == !keep);
    CHECK_FALSE(x.grad().defined());
    CHECK_FALSE(w.grad().defined());
    CHECK_FALSE(second.grad().defined());
  };
  check(true);
  check(true);  // the first one kept what it had passed
  check(false);
  CHECK(swept([&] { second.backward(); }).find("the graph of sum was freed") != std::string::npos);
}

namespace {

Tensor* swept_inside = nullptr;

/// exp(x), whose rule sweeps another graph, which goes through the node itself.
class SweepsAnother final : public detail::PrimitiveOf<SweepsAnother, detail::OpId::exp> {
 public:
  [[nodiscard]] detail::Reads reads(detail::Wanted) const override { return output_bit; }
  void infer(detail::InputSpecs in, detail::OutputSpecs out) const override { *out[0] = *in[0]; }
  void eval(detail::Inputs in, detail::Outputs out) const override {
    const NoGrad no_grad;
    const Tensor y = exp(detail::make_constant(*in[0]));
    std::memcpy(out[0]->buffer.data(), detail::array_of(y).buffer.data(), out[0]->buffer.bytes());
  }
  void vjp(detail::VjpContext& context) const override {
    if (Tensor* other = std::exchange(swept_inside, nullptr)) other->backward();
    context.set(0, context.g() * context.output());
  }
};

}  // namespace

TEST_CASE("a rule that sweeps a graph through its own node") {
  Tensor x = full({}, 0.5, {.dtype = float64, .requires_grad = true});
  const Tensor inner = detail::apply(SweepsAnother{}, x);
  Tensor other = inner * 3.0;
  const Tensor output = inner * 2.0;
  swept_inside = &other;
  SUBCASE("the inner sweep frees it: the outer one, which keeps, ends undisturbed") {
    CHECK(grad({output}, {x}, {.keep_graph = true})[0].item() == doctest::Approx(2 * std::exp(0.5)));
    CHECK(x.grad().item() == doctest::Approx(3 * std::exp(0.5)));
    CHECK(swept([&] { output.backward(); }).find("the graph of exp was freed") != std::string::npos);
  }
  SUBCASE("the outer sweep frees it: the inner one is refused, and nothing else is lost") {
    CHECK(swept([&] { output.backward(); }).find("the graph of exp is being freed") != std::string::npos);
    CHECK_FALSE(x.grad().defined());
    // The rule failed, so its node is whole.
    sum(inner * 5.0).backward();
    CHECK(x.grad().item() == doctest::Approx(5 * std::exp(0.5)));
  }
  swept_inside = nullptr;
}

TEST_CASE("a sweep that meets a claimed node later says that gradients are partial, and stores none") {
  for (const Dtype dtype : {float32, float64}) {
    Tensor x = full({}, 0.5, {.dtype = dtype, .requires_grad = true});
    Tensor w = full({}, 2, {.dtype = dtype, .requires_grad = true});
    const Tensor inner = detail::apply(SweepsAnother{}, x);
    // Its rule of mul runs before it comes to the node that the outer sweep has claimed.
    Tensor other = inner * w;
    const Tensor output = inner * 2.0;
    const std::string refused = "backward: the graph of exp is being freed by another sweep";
    const std::string partial = "The gradients found before are partial, and none was stored";
    swept_inside = &other;
    const std::string error = swept([&] { output.backward(); });
    CAPTURE(error);
    CHECK(error.find(refused) == 0);
    CHECK(error.find(partial + "; the graph of the operations passed by then is freed") != std::string::npos);
    CHECK_FALSE(x.grad().defined());
    CHECK_FALSE(w.grad().defined());
    // It is so: mul was passed.
    CHECK(swept([&] { other.backward(); }).find("the graph of mul was freed") != std::string::npos);

    // One that comes to the claimed node first has found nothing.
    Tensor node = inner;
    swept_inside = &node;
    const std::string at_once = swept([&] { sum(inner * 4.0).backward(); });
    CAPTURE(at_once);
    CHECK(at_once.find(refused) == 0);
    CHECK(at_once.find("partial") == std::string::npos);
    CHECK_FALSE(x.grad().defined());
    swept_inside = nullptr;
  }
}

TEST_CASE("a pullback goes on while another sweep frees its graph") {
  const std::int64_t at_start = detail::pool_stats().live_blocks;
  {
    const Tensor x = full({2}, 0.5, {.dtype = float64});
    const Pullback pullback = vjp([](const Tensor& t) { return exp(t); }, x);
    const Tensor g = tensor({1, 10}, {.dtype = float64});
    const double before = pullback(g).at({1});
    pullback.outputs()[0].backward({.gradient = g});
    CHECK(pullback(g).at({1}) == before);
    CHECK_THROWS_AS(pullback.outputs()[0].backward({.gradient = g}), GraphError);
  }
  CHECK(detail::pool_stats().live_blocks == at_start);
}
