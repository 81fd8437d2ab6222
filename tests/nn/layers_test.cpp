// Activations, Flatten, Dropout, MLP and Perceptron.

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/nn/support.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/nn.h"

using namespace xtgrad;
using nn::ActivationKind;
using nn_test::close;
using nn_test::elements;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

Tensor wide(std::initializer_list<NestedNumbers> numbers) { return tensor(numbers, {.dtype = float64}); }

}  // namespace

TEST_CASE("activations are the functions they are named after") {
  const Tensor x = wide({-2, 0, 0.5});
  CHECK(elements(nn::activate(x, ActivationKind::identity)) == std::vector<double>{-2, 0, 0.5});
  CHECK(elements(nn::activate(x, ActivationKind::step)) == std::vector<double>{0, 0, 1});
  CHECK(elements(nn::ReLU()(x)) == std::vector<double>{0, 0, 0.5});
  const std::vector<double> t = elements(nn::Tanh()(x));
  const std::vector<double> s = elements(nn::Sigmoid()(x));
  const std::vector<double> p = elements(nn::Softplus()(x));
  const std::vector<double> at = elements(x);
  for (std::size_t i = 0; i < at.size(); ++i) {
    CHECK(close(t[i], std::tanh(at[i]), 1e-15));
    CHECK(close(s[i], 1 / (1 + std::exp(-at[i])), 1e-15));
    CHECK(close(p[i], std::log1p(std::exp(at[i])), 1e-15));
  }
}

TEST_CASE("a step keeps the dtype and gives a constant") {
  const Tensor x = tensor({1, -1}, {.requires_grad = true});
  const Tensor y = nn::activate(x, ActivationKind::step);
  CHECK(y.dtype() == float32);
  CHECK_FALSE(y.requires_grad());
  CHECK_THROWS_AS(sum(y).backward(), GraphError);
}

TEST_CASE("activation kinds have names, and a kind out of range is an error") {
  CHECK(to_string(ActivationKind::softplus) == "softplus");
  CHECK(to_string(ActivationKind::step) == "step");
  const auto none = static_cast<ActivationKind>(99);
  CHECK_THROWS_WITH_AS(static_cast<void>(to_string(none)), "ActivationKind: no such kind: 99", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(nn::activate(ones({1}), none)), "activate: no such kind: 99",
                       ValueError);
}

TEST_CASE("Flatten keeps the batch, or what it is told to keep") {
  const Tensor x = reshape(arange(24, {}, {.dtype = float32}), Shape{2, 3, 4});
  CHECK(nn::Flatten()(x).shape() == Shape{2, 12});
  CHECK(elements(nn::Flatten()(x)) == elements(x));
  CHECK(nn::Flatten(0)(x).shape() == Shape{24});
  CHECK(nn::Flatten()(zeros({0, 3, 4})).shape() == Shape{0, 12});
}

TEST_CASE("dropout zeroes with probability p and keeps the mean") {
  for (const Dtype dtype : {float32, float64}) {
    manual_seed(11);
    nn::Dropout drop{{.p = 0.3}};
    const std::vector<double> y = elements(drop(ones({100, 100}, {.dtype = dtype})));
    double zeros_seen = 0;
    double total = 0;
    for (const double v : y) {
      const bool dropped = v == 0;
      zeros_seen += dropped ? 1 : 0;
      total += v;
      if (!dropped) CHECK(close(v, 1 / 0.7, 1e-7));
    }
    // Of 10^4 Bernoulli draws, the share has a standard deviation of 0.0046; four of them.
    CHECK(std::abs(zeros_seen / 1e4 - 0.3) < 0.0184);
    CHECK(close(total / 1e4, 1, 0.0184 / 0.7));
  }
}

TEST_CASE("dropout draws anew each time, from a stream of its own") {
  manual_seed(1);
  nn::Dropout a{{.p = 0.5}};
  nn::Dropout b{{.p = 0.5}};
  const Tensor x = ones({64});
  CHECK(elements(a(x)) != elements(b(x)));
  const std::uint64_t position = a.stream.position();
  const std::vector<double> first = elements(a(x));
  CHECK(a.stream.position() == position + 1);
  CHECK(elements(a(x)) != first);
  a.stream.set_state(a.stream.seed(), position);
  CHECK(elements(a(x)) == first);
  // What else draws from the default generator does not matter.
  static_cast<void>(randn({3}));
  nn::Dropout copy = a;
  CHECK(elements(copy(x)) == elements(a(x)));
}

TEST_CASE("dropout is the identity in evaluation and for p = 0, and draws nothing") {
  nn::Dropout drop{{.p = 0.5}};
  const Tensor x = ones({8});
  drop.eval();
  CHECK(elements(drop(x)) == elements(x));
  CHECK(drop(x).node() != x.node());
  nn::Dropout none{{.p = 0}};
  CHECK(elements(none(x)) == elements(x));
  CHECK(none(x).node() != x.node());
  CHECK(drop.stream.position() == 0);
  CHECK(none.stream.position() == 0);
}

TEST_CASE("dropout with p = 1 gives zeros, also of what is not finite, with gradients of zero") {
  nn::Dropout drop{{.p = 1}};
  const Tensor x = tensor({1, inf, -inf, std::nan("")}, {.requires_grad = true});
  const Tensor y = drop(x);
  CHECK(elements(y) == std::vector<double>(4, 0));
  sum(y).backward();
  CHECK(elements(x.grad()) == std::vector<double>(4, 0));
}

TEST_CASE("the gradient goes where the values went") {
  nn::Dropout drop{{.p = 0.5}};
  const Tensor x = ones({32}, {.requires_grad = true});
  const Tensor y = drop(x);
  sum(y * 3).backward();
  CHECK(elements(x.grad()) == elements(y * 3));
}

TEST_CASE("dropout takes empty and 0-d tensors, and says what p may be") {
  nn::Dropout drop;
  CHECK(drop.p() == 0.5);
  CHECK(drop(zeros({0, 3})).shape() == Shape{0, 3});
  CHECK(drop(tensor(2)).shape() == Shape{});
  CHECK_THROWS_WITH_AS((void)drop(zeros({2}, {.dtype = int64})),
                       "Dropout: input must be float32 or float64: got int64", DtypeError);
  CHECK(drop.stream.position() == 2);  // what was refused drew nothing
  CHECK_THROWS_WITH_AS(nn::Dropout({.p = 1.5}), "Dropout: p must be in [0, 1]: got 1.5", ValueError);
  CHECK_THROWS_WITH_AS(nn::Dropout({.p = -0.1}), "Dropout: p must be in [0, 1]: got -0.1", ValueError);
  CHECK_THROWS_WITH_AS(nn::Dropout({.p = std::nan("")}), "Dropout: p must be in [0, 1]: got nan", ValueError);
}

TEST_CASE("an MLP is its layers with the activation between") {
  nn::MLP model{{.sizes = {3, 4, 5, 2}, .activation = ActivationKind::tanh}};
  CHECK(model.layers.size() == 3);
  CHECK(model.dropouts.empty());
  CHECK(model.named_parameters()[2].name == "layers.1.weight");
  const Tensor x = randn({6, 3});
  const Tensor by_hand = model.layers[2](tanh(model.layers[1](tanh(model.layers[0](x)))));
  CHECK(elements(model(x)) == elements(by_hand));
  CHECK(model(zeros({0, 3})).shape() == Shape{0, 2});
  CHECK(model(zeros({3})).shape() == Shape{2});
}

TEST_CASE("an MLP's slope and alpha are those of its activation") {
  nn::MLP leaky{{.sizes = {3, 4, 2}, .activation = ActivationKind::leaky_relu, .slope = 0.1}};
  nn::MLP elus{{.sizes = {3, 4, 2}, .activation = ActivationKind::elu, .alpha = 0.5}};
  const Tensor x = randn({6, 3});
  CHECK(elements(leaky(x)) == elements(leaky.layers[1](leaky_relu(leaky.layers[0](x), 0.1))));
  CHECK(elements(elus(x)) == elements(elus.layers[1](elu(elus.layers[0](x), 0.5))));
}

TEST_CASE("an MLP drops after hidden activations alone, and only while training") {
  nn::MLP model{{.sizes = {3, 400, 2}, .dropout = 0.5}};
  CHECK(model.dropouts.size() == 1);
  const Tensor x = ones({1, 3});
  CHECK(elements(model(x)) != elements(model(x)));
  model.eval();
  CHECK(elements(model(x)) == elements(model(x)));
  CHECK(model.state_dict().contains("dropouts.0.stream"));
  // Everything hidden is dropped: what is left is the last bias.
  nn::MLP all{{.sizes = {3, 4, 2}, .dropout = 1}};
  CHECK(elements(all(x)) == elements(all.layers[1].bias));
}

TEST_CASE("an MLP of two sizes is linear, without bias it maps 0 to 0") {
  nn::MLP model{{.sizes = {3, 2}, .dropout = 0.9, .bias = false}};
  CHECK(model.parameters().size() == 1);
  CHECK(model.dropouts.empty());
  CHECK(elements(model(zeros({1, 3}))) == std::vector<double>{0, 0});
}

TEST_CASE("MLP's errors name the option") {
  CHECK_THROWS_WITH_AS(nn::MLP({.sizes = {3}}),
                       "MLP: sizes needs at least two, of the input and of the output: got [3]", ValueError);
  CHECK_THROWS_WITH_AS(nn::MLP({.sizes = {3, -4, 2}}), "MLP: sizes[1] must be at least 0: got -4",
                       ValueError);
  CHECK_THROWS_WITH_AS(nn::MLP({.sizes = {3, 2}, .dropout = 2}), "MLP: dropout must be in [0, 1]: got 2",
                       ValueError);
}

TEST_CASE("a perceptron computes AND with the threshold as its bias") {
  nn::Perceptron unit{{.in_features = 2}};
  unit.linear.weight.set_value(tensor({{1, 1}}));
  unit.linear.bias.set_value(tensor({-1}));
  const Tensor x = tensor({{0, 0}, {0, 1}, {1, 0}, {1, 1}});
  CHECK(elements(unit(x)) == std::vector<double>{0, 0, 0, 1});
}

TEST_CASE("the perceptron rule learns AND and OR at once, and then changes nothing") {
  manual_seed(2);
  nn::Perceptron units{{.in_features = 2, .out_features = 2}};
  const Tensor x = tensor({{0, 0}, {0, 1}, {1, 0}, {1, 1}});
  const Tensor targets = tensor({{0, 0}, {0, 1}, {0, 1}, {1, 1}});
  int passes = 0;
  while (nn::perceptron_rule(units, x, targets) > 0) {
    ++passes;
    REQUIRE(passes < 100);
  }
  CHECK(passes > 0);
  CHECK(elements(units(x)) == elements(targets));
  const std::vector<double> weight = elements(units.linear.weight);
  CHECK(nn::perceptron_rule(units, x, targets) == 0);
  CHECK(elements(units.linear.weight) == weight);
}

TEST_CASE("the perceptron rule, step by step") {
  nn::Perceptron unit{{.in_features = 2}};
  unit.linear.weight.set_value(tensor({{0, 0}}));
  unit.linear.bias.set_value(tensor({0}));
  // Sample {1, 2} wants 1 and gets step(0) = 0: w = 0.5 {1, 2}, b = 0.5. Then {2, 0} wants 0 and gets
  // step(1.5) = 1: w -= 0.5 {2, 0}, b -= 0.5.
  CHECK(nn::perceptron_rule(unit, tensor({{1, 2}, {2, 0}}), tensor({{1}, {0}}), {.lr = 0.5}) == 2);
  CHECK(elements(unit.linear.weight) == std::vector<double>{-0.5, 1});
  CHECK(elements(unit.linear.bias) == std::vector<double>{0});
}

TEST_CASE("XOR is beyond one perceptron") {
  nn::Perceptron unit{{.in_features = 2}};
  const Tensor x = tensor({{0, 0}, {0, 1}, {1, 0}, {1, 1}});
  for (int pass = 0; pass < 50; ++pass) CHECK(nn::perceptron_rule(unit, x, tensor({{0}, {1}, {1}, {0}})) > 0);
}

TEST_CASE("a perceptron with a smooth activation learns by gradients") {
  nn::Perceptron unit{{.in_features = 2, .activation = ActivationKind::sigmoid}};
  sum(unit(ones({3, 2}))).backward();
  CHECK(unit.linear.weight.grad().defined());
}

TEST_CASE("perceptron errors") {
  CHECK_THROWS_WITH_AS(nn::Perceptron({.out_features = 3}),
                       "Perceptron: in_features is required, and was not given", ValueError);
  nn::Perceptron unit{{.in_features = 2}};
  CHECK_THROWS_WITH_AS(nn::perceptron_rule(unit, ones({4, 2}), ones({4})),
                       "perceptron_rule: x must be [n, 2] and targets [n, 1]: got [4, 2] and [4]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(nn::perceptron_rule(unit, ones({2}), ones({1})),
                       "perceptron_rule: x must be [n, 2] and targets [n, 1]: got [2] and [1]", ShapeError);
}
