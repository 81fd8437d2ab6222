// What a captured function can do besides being replayed: check itself, take other shapes, be copied, be
// looked at.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/nn/captured.h"
#include "tests/support/message_of.h"
#include "xtgrad/nn/capture.h"
#include "xtgrad/nn/nn.h"
#include "xtgrad/optim/optim.h"
#include "xtgrad/xtgrad.h"

namespace xtgrad { namespace {

using testing::check_same;
using testing::message_of;
using testing::same_bits;

/// A model, its optimizer and a step of it, twice alike.
struct World {
  nn::MLP model{{.sizes = {3, 8, 2}, .activation = nn::ActivationKind::tanh, .dropout = 0.25}};
  optim::Adam adam{model.parameters(), {.lr = 0.05}};

  Tensor step(const Tensor& x, const Tensor& y) {
    adam.zero_grad();
    Tensor loss = nn::mse_loss(model(x), y);
    loss.backward();
    adam.step();
    return loss;
  }
};

Tensor batch(std::int64_t n, std::int64_t width, std::uint64_t seed) {
  Random random(seed);
  return randn({n, width}, random);
}

TEST_CASE("other shapes are captured anew where that was asked for, and known the next time") {
  manual_seed(1);
  World eager;
  manual_seed(1);
  World replayed;
  int calls = 0;
  auto step = capture(
      [&](const Tensor& x, const Tensor& y) {
        ++calls;
        return replayed.step(x, y);
      },
      {batch(4, 3, 1), batch(4, 2, 2)}, {&replayed.model, &replayed.adam},
      {.other_shapes = OtherShapes::capture});
  for (const std::int64_t n : {4, 4, 1, 4, 0, 1, 3, 0}) {
    const auto seed = static_cast<std::uint64_t>(10 + n);
    const Tensor x = batch(n, 3, seed), y = batch(n, 2, seed + 1);
    CHECK(same_bits(eager.step(x, y), step(x, y)));
    check_same(eager.model, replayed.model);
    check_same(eager.adam, replayed.adam);
  }
  CHECK(calls == 12);  // four shapes
  CHECK(step.program().to_string().find("in0:float32[0, 3]") != std::string::npos);
}

TEST_CASE("other dtypes and structures of results, too") {
  auto f = capture([](const Tensor& x) { return std::pair(x * 2, sum(x)); }, ones({2}), {},
                   {.other_shapes = OtherShapes::capture});
  for (int repeat = 0; repeat < 2; ++repeat) {
    const auto [y, s] = f(tensor({1, 2}));
    CHECK(same_bits(y, tensor({2, 4})));
    const auto [z, t] = f(tensor({1, 2, 4}, {.dtype = float64}));
    CHECK(same_bits(z, tensor({2, 4, 8}, {.dtype = float64})));
    CHECK(same_bits(t, tensor(7, {.dtype = float64})));
  }
  // As many tensors as there are rows.
  auto rows = capture([](const Tensor& x) { return unbind(x, 0); }, ones({2, 2}), {},
                      {.other_shapes = OtherShapes::capture});
  CHECK(rows(ones({3, 2})).size() == 3);
  CHECK(rows(ones({2, 2})).size() == 2);
  CHECK(rows(ones({3, 2})).size() == 3);
}

TEST_CASE("a capture for other shapes that fails leaves everything as it was") {
  World world;
  auto step = capture([&](const Tensor& x, const Tensor& y) { return world.step(x, y); },
                      {batch(4, 3, 1), batch(4, 2, 2)}, {&world.model, &world.adam},
                      {.other_shapes = OtherShapes::capture});
  static_cast<void>(step(batch(4, 3, 5), batch(4, 2, 6)));
  const auto before = testing::remembered(world.model);
  std::vector<Tensor> copies;
  for (const auto& [name, value] : before) copies.push_back(value + 0);
  CHECK_THROWS_AS(step(batch(4, 2, 5), batch(4, 2, 6)), ShapeError);
  const auto after = testing::remembered(world.model);
  for (std::size_t i = 0; i < after.size(); ++i) CHECK(same_bits(after[i].second + 0, copies[i]));
  static_cast<void>(step(batch(4, 3, 5), batch(4, 2, 6)));
}

TEST_CASE("other shapes are refused unless they are asked for") {
  auto f = capture([](const Tensor& x) { return x * 2; }, ones({2}));
  CHECK(message_of<ShapeError>([&] { return f(ones({3})); }) ==
        "Captured: input 0 was float32 [2] when the function was captured, got float32 [3]: capture it anew");
}

TEST_CASE("verify calls the function beside its replay, as often as was asked") {
  manual_seed(4);
  World world;
  int calls = 0;
  auto step = capture(
      [&](const Tensor& x, const Tensor& y) {
        ++calls;
        return world.step(x, y);
      },
      {batch(4, 3, 1), batch(4, 2, 2)}, {&world.model, &world.adam}, {.verify = 3});
  CHECK(calls == 3);
  manual_seed(4);
  World eager;
  for (int i = 0; i < 5; ++i) {
    const auto seed = static_cast<std::uint64_t>(20 + i);
    const Tensor x = batch(4, 3, seed), y = batch(4, 2, seed + 1);
    CHECK(same_bits(step(x, y), eager.step(x, y)));
    check_same(eager.model, world.model);
  }
  CHECK(calls == 6);
}

TEST_CASE("verify finds what a replay does otherwise, and nothing has changed then") {
  nn::Linear model({.in_features = 2, .out_features = 1, .bias = false});
  double factor = 2;
  auto f = capture(
      [&](const Tensor& x) {
        Tensor y = sum(model(x)) * factor;
        model.zero_grad();
        y.backward();
        return y;
      },
      {ones({1, 2})}, {&model}, {.verify = 10});
  const Tensor x = tensor({{1, 2}});
  model.weight.set_value(tensor({{1, 1}}));
  CHECK(f(x).item() == 6);
  factor = 3;  // a C++ variable, which the program took for a constant
  CHECK(message_of<GraphError>([&] { return f(x); }) ==
        "Captured: verify: result 0 has 6 at element 0 in the replay and 9 of the function");
  CHECK(same_bits(model.weight.grad(), tensor({{2, 4}})));
  factor = 2;
  CHECK(f(x).item() == 6);
  auto g = capture(
      [&](const Tensor& y) {
        model.zero_grad();
        (sum(model(y)) * factor).backward();
      },
      {ones({1, 2})}, {&model}, {.verify = 1});
  factor = 3;
  CHECK(message_of<GraphError>([&] { g(x); }) ==
        "Captured: verify: \"weight.grad\" has 2 at element 0 in the replay and 3 of the function");
  CHECK(message_of<ValueError>([] {
          return capture([](const Tensor& y) { return y; }, ones({2}), {}, {.verify = -1});
        }) == "capture: verify is a number of calls, 0 or more, got -1");
}

TEST_CASE("not-a-numbers are equal to verify") {
  auto f = capture([](const Tensor& x) { return log(x); }, ones({2}), {}, {.verify = 1});
  CHECK(std::isnan(f(tensor({-1, 1})).at({0})));
}

TEST_CASE("copies have memory of their own, and one state") {
  manual_seed(2);
  World world;
  auto step = capture([&](const Tensor& x, const Tensor& y) { return world.step(x, y); },
                      {batch(4, 3, 1), batch(4, 2, 2)}, {&world.model, &world.adam});
  manual_seed(2);
  World eager;
  auto copy = step;
  for (int i = 0; i < 4; ++i) {
    const auto seed = static_cast<std::uint64_t>(30 + i);
    const Tensor x = batch(4, 3, seed), y = batch(4, 2, seed + 1);
    const Tensor loss = i % 2 == 0 ? step(x, y) : copy(x, y);
    CHECK(same_bits(loss, eager.step(x, y)));
    check_same(eager.model, world.model);
  }
  auto f = capture([](const Tensor& x) { return x * 2; }, ones({3}));
  auto g = f;
  const Tensor a = f(tensor({1, 2, 3})), b = g(tensor({4, 5, 6}));
  CHECK(same_bits(a, tensor({2, 4, 6})));
  CHECK(same_bits(b, tensor({8, 10, 12})));
  f = g;
  CHECK(same_bits(f(tensor({1, 1, 1})), tensor({2, 2, 2})));
  // What has changed since it was captured is not copied as if it had not.
  world.model.eval();
  CHECK_THROWS_AS(static_cast<void>([&] { auto late = step; }()), GraphError);
}

TEST_CASE("a watched run says what every step made, where it comes from, and changes nothing") {
  World world;
  auto step = capture([&](const Tensor& x, const Tensor& y) { return world.step(x, y); },
                      {batch(4, 3, 1), batch(4, 2, 2)}, {&world.model, &world.adam});
  const Tensor x = batch(4, 3, 7), y = batch(4, 2, 8);
  const Tensor weight = world.model.parameters()[0]->tensor() + 0;
  const ProgramRun run = step.watch(x, y);
  CHECK(same_bits(world.model.parameters()[0]->tensor() + 0, weight));
  REQUIRE(run.inputs.size() == 2);
  CHECK(same_bits(run.values[run.inputs[0]].elements, x));
  CHECK(run.values[run.inputs[1]].name == "in1");
  for (const ProgramRun::Value& value : run.values) CHECK(value.elements.defined());
  // The loss is what the replay gives, and its name is in the program's text.
  REQUIRE(run.results.size() == 1);
  const Tensor loss = step(x, y);
  CHECK(same_bits(run.values[run.results[0].value].elements, loss));
  // Modules, rules, and the way from a value to its gradient.
  const auto find = [&](const std::string& operation, const std::string& module) {
    return std::ranges::find_if(run.steps, [&](const ProgramRun::Step& s) {
      return s.operation == operation && s.module == module && s.rule.empty();
    });
  };
  const auto tanh = find("tanh", "MLP");
  CHECK_MESSAGE(tanh != run.steps.end(), step.program().to_string());
  if (tanh != run.steps.end()) {
    const ProgramRun::Value& hidden = run.values[tanh->outputs[0].value];
    REQUIRE(hidden.cotangent);
    CHECK(run.values[*hidden.cotangent].elements.shape() == hidden.elements.shape());
    const auto rule = std::ranges::find_if(run.steps, [&](const ProgramRun::Step& s) {
      return s.rule == "tanh" && s.of == tanh->outputs[0].value;
    });
    REQUIRE(rule != run.steps.end());
    CHECK(rule->module == tanh->module);
  }
  const auto update =
      std::ranges::find_if(run.state, [](const ProgramRun::Change& c) { return c.name.ends_with("weight"); });
  REQUIRE(update != run.state.end());
  CHECK(update->after);
}

TEST_CASE("a program's graph has its operations in modules, and what becomes of the state") {
  World world;
  auto step = capture([&](const Tensor& x, const Tensor& y) { return world.step(x, y); },
                      {batch(4, 3, 1), batch(4, 2, 2)}, {&world.model, &world.adam});
  const Graph graph = step.program().graph();
  CHECK(graph.count("matmul") == 5);
  CHECK(graph.count("adam_step") == 4);
  CHECK(graph.count("part") == 12);
  CHECK(graph.count("result") == 1);
  std::size_t changes = 0;
  const std::string text = step.program().to_string();
  for (std::size_t at = 0; (at = text.find(" <- ", at)) != std::string::npos; ++at) ++changes;
  CHECK(graph.count("next") == changes);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const std::size_t input : graph.nodes[i].inputs) CHECK(input < i);
  }
  const std::string dot = to_dot(graph);
  CHECK(dot.find("label=\"layers.0\"") != std::string::npos);
  CHECK(dot.find("label=\"layers.1\"") != std::string::npos);
}

TEST_CASE("a profile names every step, operation and module, and changes nothing") {
  World world;
  auto step = capture([&](const Tensor& x, const Tensor& y) { return world.step(x, y); },
                      {batch(4, 3, 1), batch(4, 2, 2)}, {&world.model, &world.adam});
  const Tensor weight = world.model.parameters()[0]->tensor() + 0;
  const ProgramProfile profile = step.profile(batch(4, 3, 7), batch(4, 2, 8), 3);
  CHECK(same_bits(world.model.parameters()[0]->tensor() + 0, weight));
  CHECK(profile.runs == 3);
  CHECK(profile.steps.size() == step.program().plan().steps);
  CHECK(profile.seconds > 0);
  double sum = 0, by_operation = 0, by_module = 0;
  for (const ProfileRow& row : profile.steps) {
    CHECK(step.program().to_string().find(row.name) != std::string::npos);
    sum += row.seconds;
  }
  for (const ProfileRow& row : profile.operations) by_operation += row.seconds;
  for (const ProfileRow& row : profile.modules) by_module += row.seconds;
  CHECK(by_operation == doctest::Approx(sum));
  CHECK(by_module == doctest::Approx(sum));
  const std::string table = profile.table(2);
  CHECK(table.find("matmul") != std::string::npos);
  CHECK(table.find("MLP.layers.0") != std::string::npos);
  CHECK(table.find("more\n") != std::string::npos);
  CHECK(profile.steps[0].calls == 1);
}

}}  // namespace xtgrad
