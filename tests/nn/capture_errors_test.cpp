// What capture refuses, and how it says so.
#include <doctest/doctest.h>

#include <limits>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/nn/captured.h"
#include "tests/support/message_of.h"
#include "xtgrad/autograd/memory.h"
#include "xtgrad/nn/capture.h"
#include "xtgrad/nn/nn.h"
#include "xtgrad/optim/optim.h"
#include "xtgrad/xtgrad.h"

namespace xtgrad { namespace {

using testing::message_of;
using testing::same_bits;

/// A function that leaves no gradient behind.
auto taking_gradient(nn::Linear& model) {
  return [&model](const Tensor& x) {
    sum(model(x)).backward();
    Tensor gradient = model.weight.grad();
    model.zero_grad();
    return gradient;
  };
}

TEST_CASE("elements of what is computed cannot be read as numbers") {
  const Tensor x = tensor({1, 2});
  const auto refuses = [&](const auto& f, const char* read, const char* what) {
    const std::string message = message_of<GraphError>([&] { return capture(f, x); });
    CHECK_MESSAGE(message.starts_with(std::string("capture: ") + read + "() reads " + what), message);
  };
  refuses([](const Tensor& a) { return a * sum(a).item(); }, "item", "a tensor that the function computes");
  refuses([](const Tensor& a) { return a * a.at({0}); }, "at", "\"in0\"");
  refuses([](const Tensor& a) { return a * static_cast<double>(a.data<float>()[1]); }, "data", "\"in0\"");
  refuses([](const Tensor& a) { return a * static_cast<double>(to_string(a).size()); }, "to_string",
          "\"in0\"");
  // What comes from outside can.
  const Tensor scale = tensor(3);
  auto f = capture([&](const Tensor& a) { return a * scale.item(); }, x);
  CHECK(same_bits(f(tensor({5, 6})), tensor({15, 18})));
}

TEST_CASE("state that is not listed is named") {
  nn::Linear model({.in_features = 2, .out_features = 1});
  const Tensor x = tensor({{1, 2}});
  CHECK_THROWS_WITH_AS(
      static_cast<void>(capture([&](const Tensor& a) { return model(a); }, x)),
      doctest::Contains("capture: the function uses \"weight\", which wants a gradient and is neither an "
                        "input nor in the state"),
      GraphError);
  CHECK_THROWS_WITH_AS(static_cast<void>(capture(
                           [&](const Tensor& a) {
                             const NoGrad no_grad;
                             return argmax(model.weight.tensor(), 0) + a.to(int64);
                           },
                           x)),
                       doctest::Contains("capture: the function uses \"weight\""), GraphError);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(capture([](const Tensor& a) { return a + randn({2}); }, x)),
      doctest::Contains("capture: the function draws from a random stream, which is not in the state"),
      GraphError);
  Counter counter;
  CHECK_THROWS_WITH_AS(
      static_cast<void>(capture(
          [&](const Tensor& a) {
            ++counter;
            return a;
          },
          x)),
      doctest::Contains("capture: the function moves a counter on, which is not in the state"), GraphError);
  // With it, each draw is another one, and the stream is where it would be.
  Random random(4), other(4);
  auto noise = capture([&](const Tensor& a) { return a + randn({2}, random); }, x, {&random});
  CHECK(random.position() == 0);
  for (int i = 0; i < 3; ++i) CHECK(same_bits(noise(x), x + randn({2}, other)));
  CHECK(random.position() == 3);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(capture([](const Tensor& a) { return a; }, x, {static_cast<Random*>(nullptr)})),
      "capture: state 0 is a null pointer, or an empty parameter or tensor", ValueError);
}

TEST_CASE(
    "a function that computes something else when it is called again is refused by its first step that "
    "does") {
  const Tensor x = tensor({1, 2});
  int calls = 0;
  CHECK_THROWS_WITH_AS(
      static_cast<void>(
          capture([&](const Tensor& a) { return ++calls % 2 == 0 ? exp(a * 2) : tanh(a * 2); }, x)),
      doctest::Contains("step 1 is exp(float32[2]) in one call and tanh(float32[2]) in the next"),
      GraphError);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(capture([&](const Tensor& a) { return a * ++calls; }, x)),
      doctest::Contains("step 0 is mul_number[5](float32[2]) in one call and mul_number[6](float32[2])"),
      GraphError);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(capture(
          [&](const Tensor& a) {
            return a * tensor({1.0, 1.0 * ++calls});
          },
          x)),
      doctest::Contains("operand 1 of step 0, mul(float32[2], float32[2]), comes from outside and "
                        "changes between two calls"),
      GraphError);
  CHECK_THROWS_WITH_AS(static_cast<void>(capture(
                           [&](Tensor a) {
                             for (int i = 0; i < calls % 8; ++i) a = exp(a);
                             ++calls;
                             return a;
                           },
                           x)),
                       doctest::Contains("which goes on with exp(float32[2])"), GraphError);
  Tensor memory = tensor({0, 0});
  CHECK_THROWS_WITH_AS(static_cast<void>(capture([&](const Tensor& a) { return memory = memory + a; }, x)),
                       doctest::Contains("comes from outside and changes between two calls"), GraphError);
}

TEST_CASE("gradients are there before and after, or are cleared") {
  nn::Linear model({.in_features = 2, .out_features = 1});
  const Tensor x = tensor({{1, 2}});
  const auto accumulate = [&](const Tensor& a) { sum(model(a)).backward(); };
  // The warm-up leaves gradients, which the two lists add to: so does every replay, once there are some.
  auto add = capture(accumulate, x, {&model});
  CHECK_FALSE(model.weight.grad().defined());
  CHECK_THROWS_WITH_AS(
      add(x),
      "Captured: \"weight.grad\" is empty; it was there when the function was captured, which reads it",
      GraphError);
  accumulate(x);
  add(x);
  CHECK(same_bits(model.weight.grad(), tensor({{2, 4}})));
  auto clear = capture(taking_gradient(model), x, {&model});
  model.zero_grad();
  CHECK(same_bits(clear(x), tensor({{1, 2}})));

  const Tensor leaf = tensor({1, 2}, {.requires_grad = true});
  CHECK_THROWS_WITH_AS(static_cast<void>(capture([](const Tensor& a) { sum(square(a)).backward(); }, leaf)),
                       doctest::Contains("capture: the function leaves a gradient on input 0"), GraphError);
  auto slope = capture([](const Tensor& a) { return grad({sum(square(a))}, {a})[0]; }, leaf);
  CHECK(same_bits(slope(tensor({3, 4})), tensor({6, 8})));
}

TEST_CASE("a model that is no longer what it was is refused, and says how") {
  nn::MLP model{{.sizes = {2, 3, 1}, .dropout = 0.5}};
  const Tensor x = tensor({{1, 2}});
  auto f = capture([&](const Tensor& a) { return model(a).detach(); }, x, {&model});
  static_cast<void>(f(x));
  model.eval();
  CHECK_THROWS_WITH_AS(
      static_cast<void>(f(x)),
      "Captured: the model was in train() when the program was captured and is in eval(): capture it anew",
      GraphError);
  model.train();
  model.layers[1].weight.set_requires_grad(false);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(f(x)),
      "Captured: parameter \"layers.1.weight\" was learning when the program was captured and is frozen: "
      "capture it anew",
      GraphError);
  model.layers[1].weight.set_requires_grad(true);
  static_cast<void>(f(x));
  model.to(float64);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(f(x)),
      "Captured: \"layers.0.weight\" was float32 [3, 2] when the function was captured and is float64 "
      "[3, 2]: capture it anew",
      ShapeError);
}

TEST_CASE("what was empty when the function was captured has to be empty") {
  nn::Linear model(2, 1);
  const Tensor x = tensor({{1, 2}});
  auto take = capture(taking_gradient(model), x, {&model});
  CHECK(same_bits(take(x), x));
  model.weight.set_grad(ones({1, 2}));
  CHECK_THROWS_WITH_AS(
      static_cast<void>(take(x)),
      "Captured: \"weight.grad\" is there; it was empty when the function was captured: capture it anew",
      GraphError);
  CHECK(same_bits(model.weight.grad(), ones({1, 2})));
}

TEST_CASE("options that are set afterwards are refused, and those that the function sets are put back") {
  nn::Linear model(2, 1);
  optim::SGD sgd(model.parameters(), {.lr = 0.1, .momentum = 0.9});
  const auto step = [&](const Tensor& a) {
    sgd.zero_grad();
    sum(model(a)).backward();
    sgd.step();
  };
  auto replayed = capture(step, tensor({{1, 2}}), {&model, &sgd});
  sgd.set_options({.lr = 0.1, .momentum = 0.5});
  CHECK_THROWS_WITH_AS(replayed(tensor({{1, 2}})),
                       doctest::Contains("Captured: options have been set since the program was captured"),
                       GraphError);
}

TEST_CASE(
    "a tensor that a call leaves in a variable is no constant; one that the first call of all leaves is") {
  const Tensor x = tensor({1, 2});
  Tensor last = zeros({2});
  CHECK_THROWS_WITH_AS(
      static_cast<void>(capture(
          [&](const Tensor& a) {
            Tensor result = a + last;
            last = a * 2;
            return result;
          },
          x)),
      doctest::Contains("capture: the function reads a tensor that the call before has left in a variable"),
      GraphError);
  Tensor table;
  auto f = capture(
      [&](const Tensor& a) {
        if (!table.defined()) table = exp(arange(2).to(float32));
        return a * table;
      },
      x);
  CHECK(same_bits(f(tensor({3, 4})), tensor({3, 4}) * table));
}

TEST_CASE("a leaf that only a sweep reaches is named") {
  const Tensor w = tensor({1, 2}, {.requires_grad = true});
  w.set_name("w");
  const Tensor y = w * 2;
  CHECK_THROWS_WITH_AS(
      static_cast<void>(capture(
          [&](const Tensor& a) { sum(y.detach() * a + y * a).backward({.keep_graph = true}); }, ones({2}))),
      doctest::Contains("capture: the function uses \"w\""), GraphError);
  CHECK_FALSE(w.grad().defined());
}

TEST_CASE("inputs want a gradient as they did, and no two are one tensor that does") {
  const Tensor x = tensor({1, 2}), leaf = tensor({3, 4}, {.requires_grad = true});
  auto twice = capture([](const Tensor& a) { return a * 2; }, x);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(twice(leaf)),
      doctest::Contains("Captured: input 0 wants a gradient, and wanted none when the function was captured"),
      GraphError);
  CHECK_THROWS_AS(static_cast<void>(jvp([&](const Tensor& a) { return twice(a); }, x, x)), GraphError);
  CHECK(same_bits(twice(leaf.detach()), tensor({6, 8})));
  const auto slope = [](const Tensor& a, const Tensor& b) { return grad({sum(a * b)}, {a})[0]; };
  auto of_two = capture(slope, {leaf, leaf.detach().set_requires_grad()});
  CHECK_THROWS_WITH_AS(static_cast<void>(of_two(leaf, leaf)),
                       "Captured: inputs 0 and 1 are one tensor that wants a gradient: give it once",
                       GraphError);
  CHECK_THROWS_AS(static_cast<void>(capture(slope, {leaf, leaf})), GraphError);
  auto own = capture([&](const Tensor& a) { return grad({sum(a * leaf)}, {leaf})[0]; }, x, {leaf});
  static_cast<void>(own(x));
  Tensor(leaf).set_requires_grad(false);
  CHECK_THROWS_WITH_AS(static_cast<void>(own(x)),
                       "Captured: leaf \"leaf\" wanted a gradient when the program was captured and wants "
                       "none: capture it anew",
                       GraphError);
}

TEST_CASE("what is substituted for a parameter is not overlooked") {
  nn::Linear model(2, 1);
  auto f = capture([&](const Tensor& a) { return model(a).detach(); }, ones({1, 2}), {&model});
  const std::vector<Tensor> others{zeros({1, 2}), zeros({1})};
  {
    const nn::WithParameters scope(model.parameters(), others);
    CHECK_THROWS_WITH_AS(
        static_cast<void>(f(ones({1, 2}))),
        doctest::Contains("Captured: WithParameters puts a tensor in the place of parameter \"weight\""),
        GraphError);
  }
  static_cast<void>(f(ones({1, 2})));
}

TEST_CASE("numbers among the arguments are told apart by their bits") {
  const Tensor x = tensor({1, 2});
  const auto scale = [](const Tensor& a, double d) { return a * (1 / d); };
  auto f = capture(scale, std::tuple(x, 0.0));
  static_cast<void>(f(x, 0.0));
  CHECK_THROWS_AS(static_cast<void>(f(x, -0.0)), ValueError);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  auto g = capture(scale, std::tuple(x, nan));
  static_cast<void>(g(x, nan));
}

TEST_CASE("a refused function has changed nothing") {
  manual_seed(1);
  nn::MLP model{{.sizes = {2, 3, 1}, .dropout = 0.5}};
  optim::SGD sgd(model.parameters(), {.lr = 1});
  const nn::StateDict before = model.state_dict();
  const auto step = [&](const Tensor& a) {
    sum(model(a)).backward();
    sgd.step();
  };
  CHECK_THROWS_AS(static_cast<void>(capture(step, ones({4, 2}), {&sgd})), GraphError);
  for (const auto& [name, value] : model.state_dict()) CHECK(same_bits(value, before.at(name)));
  for (const auto& parameter : model.parameters()) CHECK_FALSE(parameter->grad().defined());
  const auto freezing = [&](const Tensor& a) {
    model.eval();
    model.layers[0].weight.set_requires_grad(false);
    return model(a).detach();
  };
  CHECK_THROWS_AS(static_cast<void>(capture(freezing, ones({4, 2}), {&model})), GraphError);
  CHECK(model.is_training());
  CHECK(model.dropouts[0].is_training());
  CHECK(model.layers[0].weight.requires_grad());
}

TEST_CASE("equal results are tensors of their own, and a captured function keeps no graph") {
  auto f = capture([](const Tensor& a) { return std::pair(a * 2, a * 2); }, tensor({1, 2}));
  auto [first, second] = f(tensor({3, 4}));
  first.set_requires_grad();
  CHECK_FALSE(second.requires_grad());
  CHECK(same_bits(first.detach(), second));

  nn::Linear model(1000, 1000);
  const Tensor x = ones({1000, 1000});
  const std::int64_t before = memory_in_use();
  auto loss = capture(
      [&](const Tensor& a) {
        Tensor y = model(a);
        for (int i = 0; i < 10; ++i) y = tanh(y * y);
        return sum(y);
      },
      x, {&model});
  CHECK(memory_in_use() - before < 9'000'000);  // the arena, of two arrays
}

TEST_CASE("a replay is none of another function's steps") {
  const Tensor x = tensor({1, 2});
  auto inner = capture([](const Tensor& a) { return a * 2; }, x);
  CHECK_THROWS_WITH_AS(static_cast<void>(capture([&](const Tensor& a) { return inner(a) + 1; }, x)),
                       doctest::Contains("Captured: called while another function is captured"), GraphError);
  CHECK(same_bits(inner(x), tensor({2, 4})));
}

TEST_CASE("a plain integer that the function changes is refused") {
  struct Counts final : nn::Module {
    std::int64_t calls = 0;
    void members(nn::Members& m) override { m("calls", calls); }
    Tensor forward(const Tensor& x) override {
      ++calls;
      return x * 2;
    }
  };
  Counts counts;
  CHECK_THROWS_WITH_AS(
      static_cast<void>(capture([&](const Tensor& a) { return counts(a); }, tensor({1}), {&counts})),
      "capture: \"calls\" is a plain integer and is 3 where it was 0 when the program was captured: make it "
      "a Counter, whose steps are recorded",
      GraphError);
  CHECK(counts.calls == 0);
}

}}  // namespace xtgrad
