// Emitted files against the programs that they are of: results and state, step by step.
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "tests/autograd/emit/emitted.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random_tensors.h"
#include "xtgrad/nn/capture.h"
#include "xtgrad/nn/linear.h"
#include "xtgrad/nn/losses.h"
#include "xtgrad/nn/mlp.h"
#include "xtgrad/optim/adam.h"
#include "xtgrad/optim/sgd.h"

namespace xtgrad { namespace {

using testing::Emitted;
using testing::largest_difference;
using testing::size_of;

constexpr double most_ulps = 4;

/// Calls both with the same inputs, so many times, and compares results and state. Elements near 0 of sums
/// are compared with the largest of their tensor.
template <class F, class... Inputs>
void check_same(F& captured, const Inputs&... inputs) {
  Emitted emitted(captured.program());
  emitted.set_state(captured.state());
  const std::vector<Tensor> expected{captured(inputs...)};
  const std::vector<Tensor> results = emitted({inputs...});
  REQUIRE(results.size() == expected.size());
  for (std::size_t k = 0; k < results.size(); ++k) {
    MESSAGE(emitted.text().size() << " bytes, result " << largest_difference(results[k], expected[k])
                                  << " ulp");
    CHECK(largest_difference(results[k], expected[k], size_of(expected[k])) <= most_ulps);
  }
  for (const auto& [name, value] : captured.state()) {
    CAPTURE(name);
    MESSAGE(name << " " << largest_difference(emitted.state(name), value) << " ulp alone, "
                 << largest_difference(emitted.state(name), value, size_of(value)) << " of the largest");
    CHECK(largest_difference(emitted.state(name), value, size_of(value)) <= most_ulps);
  }
}

TEST_CASE("numbers: a chain of functions and its derivative") {
  const Tensor a = tensor(0.3F, {.requires_grad = true});
  auto slope = capture([](const Tensor& x) { return grad({sum(tanh(x * 1.5) * sin(x))}, {x})[0]; }, {a});
  check_same(slope, a);
}

TEST_CASE("an MLP in training, with Adam") {
  manual_seed(3);
  nn::MLP model{{.sizes = {2, 16, 16, 1}, .activation = nn::ActivationKind::tanh}};
  optim::Adam adam(model.parameters(), {.lr = 1e-2, .weight_decay = 1e-3});
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

}}  // namespace xtgrad
