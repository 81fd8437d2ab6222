// Neuron, Perceptron's slopes, LinearClassifier.
#include "xtgrad/nn/neuron.h"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include "tests/nn/module_checks.h"
#include "tests/support/message_of.h"
#include "xtgrad/nn/linear_classifier.h"
#include "xtgrad/nn/perceptron.h"

using namespace xtgrad;
using namespace nn_test;
using nn::ActivationKind;
using xtgrad::testing::message_of;

namespace {

const Numbers weights{0.5, -2, 1.25};
constexpr double bias = 0.25;

struct Taught {
  ActivationKind kind;
  std::function<double(double)> f;
};
const std::vector<Taught> activations{
    {ActivationKind::identity, [](double z) { return z; }},
    {ActivationKind::step, [](double z) { return z > 0 ? 1.0 : 0.0; }},
    {ActivationKind::sigmoid, [](double z) { return 1 / (1 + std::exp(-z)); }},
    {ActivationKind::tanh, [](double z) { return std::tanh(z); }},
    {ActivationKind::relu, [](double z) { return std::max(z, 0.0); }},
    {ActivationKind::leaky_relu, [](double z) { return z >= 0 ? z : 0.1 * z; }},
    {ActivationKind::elu, [](double z) { return z > 0 ? z : 0.5 * std::expm1(z); }},
    {ActivationKind::gelu, [](double z) { return z * 0.5 * (1 + std::erf(z / std::sqrt(2))); }}};

nn::Neuron neuron_of(ActivationKind kind) {
  return nn::Neuron({.weights = weights, .bias = bias, .activation = kind, .slope = 0.1, .alpha = 0.5});
}

}  // namespace

TEST_CASE("a neuron is f(w . x + b), with each activation that is taught") {
  for (const Dtype dtype : {float32, float64}) {
    const Tensor x = ramp({4, 3}, dtype);
    const Numbers in = elements(x);
    for (const Taught& taught : activations) {
      CAPTURE(to_string(taught.kind));
      nn::Neuron unit = neuron_of(taught.kind);
      unit.to(dtype);
      Numbers want;
      for (std::size_t i = 0; i < 4; ++i) {
        double z = bias;
        for (std::size_t k = 0; k < 3; ++k) z += weights[k] * in[3 * i + k];
        want.push_back(taught.f(z));
      }
      CHECK(unit(x).shape() == Shape{4});
      CHECK(unit(x).dtype() == dtype);
      check_numbers(elements(unit(x)), want, dtype == float64 ? 1e-14 : 2e-6);
      CHECK(unit(reshape(x, {2, 2, 3})).shape() == Shape{2, 2});
      CHECK(unit(reshape(slice(x, {.stop = 1}), {3})).shape() == Shape{});
      CHECK(unit(zeros({0, 3}, {.dtype = dtype})).shape() == Shape{0});
    }
  }
}

TEST_CASE("AND and OR are thresholds, and the weighted sum is there before the activation") {
  const Tensor x = tensor({{0, 0}, {0, 1}, {1, 0}, {1, 1}});
  nn::Neuron both{{.weights = {1, 1}, .bias = -1, .activation = ActivationKind::step}};
  nn::Neuron either{{.weights = {1, 1}, .activation = ActivationKind::step}};
  CHECK(elements(both(x)) == Numbers{0, 0, 0, 1});
  CHECK(elements(either(x)) == Numbers{0, 1, 1, 1});
  CHECK(elements(both.weighted_sum(x)) == Numbers{-1, 0, 0, 1});
  CHECK_FALSE(both(x).requires_grad());
}

TEST_CASE("neurons keep the rules of modules, with every activation that has a gradient") {
  manual_seed(1);
  const Tensor x = randn({3, 3});
  for (const Taught& taught : activations) {
    if (taught.kind == ActivationKind::step) continue;
    nn::Neuron unit = neuron_of(taught.kind);
    nn::Neuron other({.in_features = 3, .activation = taught.kind, .slope = 0.1, .alpha = 0.5});
    check_module(unit, other, x);
  }
  CHECK(neuron_of(ActivationKind::tanh).summary(x) ==
        "module   type    output  parameters\n"
        "(model)  Neuron  [3]              4\n"
        "total: 4 parameters, 4 learning, 16 bytes\n");
}

TEST_CASE("a neuron starts uniform in 1/sqrt of its inputs, or as it is told") {
  manual_seed(5);
  const nn::Neuron unit({.in_features = 400});
  double squares = 0;
  for (const double w : elements(unit.weight)) {
    CHECK(std::abs(w) <= 0.05);
    squares += w * w / 400;
  }
  // The variance of U(-0.05, 0.05) is 0.0025 / 3; of n draws, known to 0.9/sqrt(n).
  CHECK(agrees(squares, 0.0025 / 3, 0.2, 0));
  CHECK(std::abs(unit.bias.tensor().item()) <= 0.05);
  CHECK(unit.bias.tensor().item() != 0);
  CHECK(nn::Neuron({.in_features = 2, .bias = 0.5}).bias.tensor().item() == 0.5);
  CHECK(nn::Neuron({.weights = {3}}).bias.tensor().item() == 0);
  const DefaultDtype in_double(float64);
  CHECK(nn::Neuron({.weights = {3}}).weight.dtype() == float64);
  CHECK(nn::Neuron({.in_features = 2}).bias.dtype() == float64);
}

TEST_CASE("a neuron says what does not fit") {
  CHECK(message_of<ValueError>([] { return nn::Neuron({}).weight.shape(); }) ==
        "Neuron: in_features is required, and was not given");
  CHECK(message_of<ValueError>([] { return nn::Neuron({.in_features = -1}).weight.shape(); }) ==
        "Neuron: in_features must be at least 0: got -1");
  CHECK(message_of<ValueError>([] {
          return nn::Neuron({.in_features = 3, .weights = {1, 2}}).weight.shape();
        }) == "Neuron: weights need one for each of in_features: got 2 weights, 3 features");
  nn::Neuron unit({.in_features = 3});
  CHECK(message_of<ShapeError>([&] {
          return unit(ones({2, 4}));
        }) == "Neuron: input must be [..., 3]: got [2, 4]");
  CHECK(message_of<ShapeError>([&] { return unit(tensor(1)); }) == "Neuron: input must be [..., 3]: got []");
  CHECK(message_of<DtypeError>([&] { return unit(ones({3}, {.dtype = float64})); }) ==
        "Neuron: input is float64, weight is float32; convert the input or the model with to()");
}

TEST_CASE("a Perceptron takes the slope and alpha of its activation") {
  const Tensor x = tensor({{-2}});
  const auto unit = [](ActivationKind kind) {
    nn::Perceptron made{{.in_features = 1, .activation = kind, .slope = 0.1, .alpha = 0.5}};
    made.linear.weight.set_value(tensor({{1}}));
    made.linear.bias.set_value(tensor({0}));
    return made;
  };
  check_numbers(elements(unit(ActivationKind::leaky_relu)(x)), {-0.2}, 1e-6);
  check_numbers(elements(unit(ActivationKind::elu)(x)), {0.5 * std::expm1(-2)}, 1e-6);
  CHECK(agrees(nn::activate(x, ActivationKind::leaky_relu).item(), -0.02, 1e-6));
}

TEST_CASE("a LinearClassifier is W x + b on flattened images, by one matrix [W b]") {
  const nn::LinearClassifierOptions options{.input = {2, 1, 3}, .classes = 4};
  for (const Dtype dtype : {float32, float64}) {
    nn::LinearClassifier model(options);
    model.to(dtype);
    fill_with_ramps(model);
    const Tensor x = ramp({5, 2, 1, 3}, dtype);
    const Numbers in = elements(x), w = elements(model.weight);
    REQUIRE(w.size() == 4 * 7);
    Numbers want;
    for (std::size_t i = 0; i < 5; ++i) {
      for (std::size_t c = 0; c < 4; ++c) {
        double score = w[c * 7 + 6];
        for (std::size_t k = 0; k < 6; ++k) score += w[c * 7 + k] * in[i * 6 + k];
        want.push_back(score);
      }
    }
    const Tensor y = model(x);
    CHECK(y.shape() == Shape{5, 4});
    CHECK(y.dtype() == dtype);
    CHECK(elements(y) == want);  // sums of multiples of 1/64 are exact
    CHECK(elements(model(reshape(x, {5, 6}))) == want);
    CHECK(model(zeros({0, 2, 1, 3}, {.dtype = dtype})).shape() == Shape{0, 4});
    CHECK(model(ramp({1, 2, 1, 3}, dtype)).shape() == Shape{1, 4});
    // The templates are the rows without their biases, as pictures.
    const Tensor pictures = model.templates();
    CHECK(pictures.shape() == Shape{4, 2, 1, 3});
    for (std::size_t c = 0; c < 4; ++c) {
      CHECK(elements(model.biases())[c] == w[c * 7 + 6]);
      for (std::size_t k = 0; k < 6; ++k) CHECK(elements(pictures)[c * 6 + k] == w[c * 7 + k]);
    }
    // A penalty on the templates leaves the biases alone.
    sum(square(pictures)).backward();
    const Numbers g = elements(model.weight.grad());
    for (std::size_t i = 0; i < g.size(); ++i) CHECK(g[i] == (i % 7 == 6 ? 0 : 2 * w[i]));
  }
}

TEST_CASE("a LinearClassifier keeps the rules of modules") {
  manual_seed(7);
  const nn::LinearClassifierOptions options{.input = {2, 3}, .classes = 4};
  nn::LinearClassifier model(options), other(options);
  check_module(model, other, randn({3, 2, 3}));
  CHECK(model.options().classes == 4);
  CHECK(model.summary(zeros({3, 2, 3})) ==
        "module   type              output  parameters\n"
        "(model)  LinearClassifier  [3, 4]          28\n"
        "total: 28 parameters, 28 learning, 112 bytes\n");
  const nn::LinearClassifier large({.input = {20, 20}, .classes = 3});
  for (const double w : elements(large.weight)) CHECK(std::abs(w) <= 0.05);
  CHECK(message_of<ValueError>([] { return nn::LinearClassifier({.classes = 3}).weight.shape(); }) ==
        "LinearClassifier: input is required, and was not given");
  CHECK(message_of<ValueError>([] { return nn::LinearClassifier({.input = {4}}).weight.shape(); }) ==
        "LinearClassifier: classes is required, and was not given");
  CHECK(message_of<ValueError>([] {
          return nn::LinearClassifier({.input = {4, 0}, .classes = 3}).weight.shape();
        }) == "LinearClassifier: input must be at least 1: got 0");
  CHECK(message_of<ShapeError>([&] {
          return model(ones({3, 3, 2}));
        }) == "LinearClassifier: samples must be [2, 3], or flat with 6 features: input is [3, 3, 2]");
  CHECK(message_of<ShapeError>([&] { return model(tensor(1)); }) ==
        "LinearClassifier: samples must be [2, 3], or flat with 6 features: input is []");
  CHECK(message_of<DtypeError>([&] {
          return model(ones({3, 6}, {.dtype = float64}));
        }) ==
        "LinearClassifier: input is float64, weight is float32; convert the input or the model with to()");
}
