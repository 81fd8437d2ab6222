// Emitted files against the programs that they are of: results and state, step by step.
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "tests/autograd/emit/emitted.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/dtype.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random_tensors.h"
#include "xtgrad/nn/capture.h"
#include "xtgrad/nn/conv_net.h"
#include "xtgrad/nn/linear.h"
#include "xtgrad/nn/losses.h"
#include "xtgrad/nn/mlp.h"
#include "xtgrad/nn/module.h"
#include "xtgrad/optim/adam.h"
#include "xtgrad/optim/sgd.h"

namespace xtgrad { namespace {

using testing::Emitted;
using testing::largest_difference;
using testing::size_of;

constexpr double most_ulps = 4;
/// Of gradients that have come through several products of matrices: the library sums these by fused
/// multiply-adds, which C++ that is compiled for any processor has not.
constexpr double most_ulps_through_products = 8;

/// Calls both with the same inputs, so many times, and compares results and state. Elements near 0 of sums
/// are compared with the largest of their tensor.
template <class F, class... Inputs>
void check_same_to(double most, F& captured, const Inputs&... inputs) {
  Emitted emitted(captured.program());
  emitted.set_state(captured.state());
  const std::vector<Tensor> expected{captured(inputs...)};
  const std::vector<Tensor> results = emitted({inputs...});
  REQUIRE(results.size() == expected.size());
  for (std::size_t k = 0; k < results.size(); ++k) {
    CHECK(largest_difference(results[k], expected[k], size_of(expected[k])) <= most_ulps);
  }
  for (const auto& [name, value] : captured.state()) {
    CAPTURE(name);
    // Adam's mean of squares as a step reads it: squares differ twice as much.
    const bool is_square = name.ends_with(".v");
    const Tensor now = emitted.state(name), found = is_square ? sqrt(now) : now;
    const Tensor expected_state = is_square ? sqrt(value) : value;
    CHECK(largest_difference(found, expected_state, size_of(expected_state)) <= most);
  }
}
template <class F, class... Inputs>
void check_same(F& captured, const Inputs&... inputs) {
  check_same_to(most_ulps, captured, inputs...);
}

TEST_CASE("numbers: a chain of functions and its derivative") {
  const Tensor a = tensor(0.3F, {.requires_grad = true});
  auto slope = capture([](const Tensor& x) { return grad({sum(tanh(x * 1.5) * sin(x))}, {x})[0]; }, {a});
  check_same(slope, a);
}

template <class Optimizer, class Options>
void check_training(const Options& options) {
  manual_seed(3);
  nn::MLP model{{.sizes = {2, 16, 16, 1}, .activation = nn::ActivationKind::tanh}};
  Optimizer adam(model.parameters(), options);
  const Tensor x = randn({8, 2}), y = randn({8, 1});
  auto step = capture(
      [&](const Tensor& input, const Tensor& target) {
        Tensor loss = nn::mse_loss(model(input), target);
        adam.zero_grad();
        loss.backward();
        adam.step();
        return loss;
      },
      {x, y}, {&model, &adam});
  check_same(step, x, y);
}

TEST_CASE("an MLP in training, with Adam and AdamW") {
  check_training<optim::Adam>(optim::AdamOptions{.lr = 1e-2, .weight_decay = 1e-3});
  check_training<optim::AdamW>(optim::AdamWOptions{.lr = 1e-2, .weight_decay = 1e-2});
}

TEST_CASE("an MLP in training, with SGD") {
  manual_seed(4);
  nn::MLP model{{.sizes = {3, 8, 2}}};
  optim::SGD sgd(model.parameters(), {.lr = 1e-2, .momentum = 0.9, .dampening = 0.1, .nesterov = false});
  const Tensor x = randn({5, 3}), y = randn({5, 2});
  auto step = capture(
      [&](const Tensor& input, const Tensor& target) {
        Tensor loss = nn::mse_loss(model(input), target);
        sgd.zero_grad();
        loss.backward();
        sgd.step();
        return loss;
      },
      {x, y}, {&model, &sgd});
  check_same(step, x, y);
}

TEST_CASE("a conv net's gradients, by class indices") {
  manual_seed(5);
  Tensor w = randn({8, 1, 3, 3}), b = randn({8});
  w.set_requires_grad(true);
  b.set_requires_grad(true);
  nn::Linear linear(8 * 3 * 3, 10);
  const Tensor images = randn({4, 1, 8, 8}), labels = tensor({1, 2, 3, 9}).to(int64);
  auto step = capture(
      [&](const Tensor& input, const Tensor& target) {
        const Tensor h = max_pool2d(relu(conv2d(input, w, b)), {2});
        Tensor loss = nn::cross_entropy(linear(flatten(h, 1)), target);
        linear.zero_grad();
        w.set_grad({});
        b.set_grad({});
        loss.backward();
        return loss;
      },
      {images, labels}, {w, b, &linear});
  check_same(step, images, labels);
}

TEST_CASE("the digits' conv net in training, and in use with its weights as constants") {
  manual_seed(8);
  nn::ConvNet model{{.image = 8, .channels = {8, 16}, .hidden = {32}}};
  optim::Adam adam(model.parameters(), {.lr = 2e-3});
  const Tensor images = uniform({8, 1, 8, 8}), labels = tensor({1, 2, 3, 9, 0, 4, 5, 2}).to(int64);
  auto step = capture(
      [&](const Tensor& input, const Tensor& target) {
        Tensor loss = nn::cross_entropy(model(input), target);
        adam.zero_grad();
        loss.backward();
        adam.step();
        return loss;
      },
      {images, labels}, {&model, &adam});
  check_same_to(most_ulps_through_products, step, images, labels);
  auto scores = capture([&](const Tensor& input) { return model(input).detach(); }, {images}, {&model});
  Emitted emitted(scores.program(), {.state = scores.state()});
  const Tensor expected = scores(images);
  CHECK(largest_difference(emitted({images}).at(0), expected, size_of(expected)) <= most_ulps);
}

TEST_CASE("a pendulum's energy and its derivatives") {
  const Tensor angle = tensor(1.0F, {.requires_grad = true}), speed = tensor(0.2F, {.requires_grad = true});
  auto energy = capture(
      [](const Tensor& first, const Tensor& second) {
        Tensor t = first, w = second;
        for (int i = 0; i < 50; ++i) {
          w = w - sin(t) * 0.01;
          t = t + w * 0.01;
        }
        return grad({square(w) * 0.5 - cos(t)}, {first, second})[0];
      },
      {angle, speed});
  check_same(energy, angle, speed);
}

TEST_CASE("a PINN: derivatives of second order inside of a step, in float64") {
  manual_seed(6);
  const DefaultDtype scope(float64);
  nn::MLP model{{.sizes = {1, 12, 12, 1}, .activation = nn::ActivationKind::tanh}};
  optim::Adam adam(model.parameters(), {.lr = 1e-3});
  const Tensor x = uniform({16, 1}).set_requires_grad();
  auto step = capture(
      [&](const Tensor& at) {
        const Tensor u = model(at);
        const Tensor slope = grad({sum(u)}, {at}, {.create_graph = true})[0];
        const Tensor bend = grad({sum(slope)}, {at}, {.create_graph = true})[0];
        Tensor loss = mean(square(bend + u));
        adam.zero_grad();
        loss.backward();
        at.set_grad({});
        adam.step();
        return loss.detach();
      },
      {x}, {&model, &adam});
  check_same(step, x);
}

TEST_CASE("a refused run leaves the state as it was, and the next one goes on") {
  manual_seed(7);
  nn::Linear linear(3, 4);
  optim::SGD sgd(linear.parameters(), {.lr = 0.1});
  const Tensor x = randn({2, 3}), labels = tensor({1, 3}).to(int64), wrong = tensor({1, 4}).to(int64);
  auto step = capture(
      [&](const Tensor& input, const Tensor& target) {
        Tensor loss = nn::cross_entropy(linear(input), target);
        sgd.zero_grad();
        loss.backward();
        sgd.step();
        return loss;
      },
      {x, labels}, {&linear, &sgd});
  const std::vector<NamedTensor> before = step.state();
  Emitted emitted(step.program(), {.state = before});
  emitted.initialize();
  CHECK(emitted({x, wrong}).empty());
  for (const auto& [name, value] : before) {
    // The rate, which the step does not change, is a constant of the file.
    if (name != "groups.0.lr") CHECK(largest_difference(emitted.state(name), value) == 0);
  }
  for (int round = 0; round < 3; ++round) {
    const Tensor expected = step(x, labels);
    CHECK(largest_difference(emitted({x, labels}).at(0), expected) <= most_ulps);
  }
}

TEST_CASE("names of any kind, and weights that are constants") {
  struct Odd final : nn::Module {
    Odd() { weight = nn::Parameter(tensor({1, 2})); }
    void members(nn::Members& m) override { m("a \"b\" \\ // int", weight); }
    Tensor forward(const Tensor& x) override { return x * weight; }
    nn::Parameter weight;
  };
  Odd odd;
  const Tensor x = tensor({3, 4});
  auto f = capture([&](const Tensor& v) { return odd(v).detach(); }, {x}, {&odd});
  Emitted given(f.program(), {.state = f.state()});
  CHECK(given.text().find("struct State") == std::string::npos);
  CHECK(largest_difference(given({x}).at(0), f(x)) == 0);
  check_same(f, x);
}

TEST_CASE("what has no text is refused by its name, and names that are none") {
  auto sorted = capture([](const Tensor& x) { return sort(x).values; }, {tensor({2, 1})});
  CHECK_THROWS_WITH_AS(static_cast<void>(emit_cpp(sorted.program())),
                       doctest::Contains("emit_cpp: sort has no C++ text yet: step 0 is"), Error);
  auto square_of = capture([](const Tensor& x) { return square(x); }, {tensor({2, 1})});
  CHECK_THROWS_WITH_AS(static_cast<void>(emit_cpp(square_of.program(), {.name = "a b"})),
                       "emit_cpp: a name must be an identifier of C++: got \"a b\"", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(emit_cpp(square_of.program(), {.state = {{"w", tensor({1})}}})),
                       "emit_cpp: the program has no state \"w\"", ValueError);
}

}}  // namespace xtgrad
