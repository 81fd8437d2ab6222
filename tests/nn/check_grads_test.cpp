#include "xtgrad/nn/check_grads.h"

#include <doctest/doctest.h>

#include <cmath>
#include <optional>
#include <string>

#include "tests/nn/models.h"
#include "tests/nn/support.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"

using namespace xtgrad;
using nn::ActivationKind;
using nn_test::Classifier;
using nn_test::elements;
using nn_test::Everything;

namespace {

/// The same numbers on every run; none of these inputs puts a relu on its kink.
Tensor input(const Shape& shape, std::uint64_t seed = 1) {
  Random random(seed);
  return randn(shape, random);
}

void check_passes(const CheckGradsReport& report) {
  INFO(report.message);
  CHECK(report.ok());
  CHECK(report.evaluations > 0);
}

Tensor labels(const NestedNumbers& numbers) { return tensor(numbers, {.dtype = int64}); }

}  // namespace

TEST_CASE("a user's float32 model with dropout passes, in its input and all parameters, to second order") {
  manual_seed(1);
  const Classifier model;
  const nn::StateDict before = model.state_dict();
  check_passes(check_grads(model, input({3, 4})));
  // The model itself is not touched: still float32, nothing drawn, no gradients.
  for (const auto& entry : model.state_dict()) {
    CHECK(entry.value.dtype() == before.at(entry.name).dtype());
    CHECK(elements(entry.value) == elements(before.at(entry.name)));
  }
  for (const nn::ParameterRef& parameter : model.parameters()) CHECK_FALSE(parameter->grad().defined());
}

TEST_CASE("buffers, streams and counters are put back before each evaluation") {
  manual_seed(2);
  check_passes(check_grads(Everything(), input({3, 2})));
}

TEST_CASE("every module passes to second order") {
  manual_seed(3);
  check_passes(check_grads(nn::Linear(3, 2), input({4, 3})));
  check_passes(check_grads(nn::Linear(3, 2), input({2, 2, 3})));
  check_passes(check_grads(nn::Linear(3, 2), input({3})));
  check_passes(check_grads(nn::Linear({.in_features = 3, .out_features = 2, .bias = false}), input({1, 3})));
  check_passes(check_grads(nn::ReLU(), input({4, 3})));
  check_passes(check_grads(nn::Tanh(), input({4, 3})));
  check_passes(check_grads(nn::Sigmoid(), input({4, 3})));
  check_passes(check_grads(nn::Softplus(), input({4, 3})));
  check_passes(check_grads(nn::LeakyReLU(0.1), input({4, 3})));
  check_passes(check_grads(nn::ELU(0.5), input({4, 3})));
  check_passes(check_grads(nn::GELU(), input({4, 3})));
  check_passes(check_grads(nn::GELUTanh(), input({4, 3})));
  check_passes(check_grads(nn::SiLU(), input({4, 3})));
  check_passes(check_grads(nn::Activation(ActivationKind::identity), input({4})));
  check_passes(check_grads(nn::Flatten(), input({2, 3, 2})));
  check_passes(check_grads(nn::Dropout({.p = 0.4}), input({4, 5})));
  check_passes(check_grads(
      nn::MLP({.sizes = {3, 4, 4, 2}, .activation = ActivationKind::tanh, .dropout = 0.3}), input({2, 3})));
  check_passes(check_grads(nn::MLP({.sizes = {3, 6, 2}}), input({2, 3})));
  check_passes(check_grads(
      nn::Perceptron({.in_features = 3, .out_features = 2, .activation = ActivationKind::sigmoid}),
      input({2, 3})));
  check_passes(check_grads(nn::Sequential{nn::Linear{3, 4}, nn::Softplus{}, nn::Dropout{}, nn::Linear{4, 2}},
                           input({2, 3})));
}

TEST_CASE("every module for images passes to second order") {
  manual_seed(4);
  const Tensor images = input({2, 2, 5, 4});
  check_passes(
      check_grads(nn::Conv2d({.in_channels = 2, .out_channels = 3, .kernel = 3, .padding = 1}), images));
  check_passes(check_grads(nn::Conv2d({.in_channels = 2,
                                       .out_channels = 4,
                                       .kernel = {3, 2},
                                       .stride = 2,
                                       .dilation = {1, 2},
                                       .groups = 2,
                                       .bias = false}),
                           images));
  check_passes(check_grads(nn::MaxPool2d({.kernel = 2}), images));
  check_passes(check_grads(nn::AvgPool2d({.kernel = {3, 2}, .stride = Size2d(1), .padding = 1}), images));
  check_passes(check_grads(nn::Dropout2d({.p = 0.4}), images));
  check_passes(check_grads(nn::BatchNorm2d({.num_features = 2}), images));
  check_passes(
      check_grads(nn::BatchNorm2d({.num_features = 2, .momentum = std::nullopt, .affine = false}), images));
  check_passes(check_grads(nn::BatchNorm1d({.num_features = 3}), input({4, 3})));
  check_passes(check_grads(nn::BatchNorm1d({.num_features = 3}), input({2, 3, 4})));
  nn::BatchNorm2d trained{{.num_features = 2}};
  static_cast<void>(trained(images));
  trained.eval();
  check_passes(check_grads(trained, images));
  const Tensor small = input({3, 1, 4, 4});
  check_passes(
      check_grads(nn::ConvNet({.image = 4, .channels = {2, 3}, .hidden = {4}, .classes = 2}), small));
  check_passes(check_grads(nn::ConvNet({.image = 4,
                                        .channels = {2},
                                        .hidden = {4},
                                        .classes = 2,
                                        .activation = ActivationKind::tanh,
                                        .batch_norm = true,
                                        .dropout = 0.3}),
                           small));
}

TEST_CASE("batch normalisation's running statistics are put back after a check") {
  nn::BatchNorm1d norm{{.num_features = 3}};
  static_cast<void>(norm(input({4, 3})));
  const std::vector<double> before = elements(norm.running_mean);
  check_passes(check_grads(norm, input({4, 3}, 2)));
  CHECK(elements(norm.running_mean) == before);
  CHECK(norm.num_batches_tracked == 1);
}

TEST_CASE("every loss passes to second order, in all that it differentiates") {
  const Tensor logits = input({4, 3});
  const Tensor q = softmax(input({4, 3}, 2), 1);
  const Tensor weight = tensor({0.5, 2, 1.5});
  for (const nn::Reduction reduction : {nn::Reduction::mean, nn::Reduction::sum, nn::Reduction::none}) {
    const auto mse = [&](std::span<const Tensor> in) -> std::vector<Tensor> {
      return {nn::mse_loss(in[0], in[1], {.reduction = reduction, .half = true})};
    };
    check_passes(check_grads(mse, std::vector<Tensor>{logits, q}));
    const auto bce = [&](std::span<const Tensor> in) -> std::vector<Tensor> {
      return {
          nn::bce_with_logits(in[0], in[1], {.pos_weight = in[2], .weight = in[1], .reduction = reduction})};
    };
    check_passes(check_grads(bce, std::vector<Tensor>{logits, q, weight}));
    for (const double smoothing : {0.0, 0.2}) {
      const auto by_index = [&](std::span<const Tensor> in) -> std::vector<Tensor> {
        return {nn::cross_entropy(in[0], labels({2, 0, -100, 1}),
                                  {.weight = in[1], .label_smoothing = smoothing, .reduction = reduction})};
      };
      check_passes(check_grads(by_index, std::vector<Tensor>{logits, weight}));
      const auto by_probability = [&](std::span<const Tensor> in) -> std::vector<Tensor> {
        return {nn::cross_entropy(in[0], in[1],
                                  {.weight = in[2], .label_smoothing = smoothing, .reduction = reduction})};
      };
      check_passes(check_grads(by_probability, std::vector<Tensor>{logits, q, weight}));
    }
    const auto plain = [&](const Tensor& x) {
      return nn::cross_entropy(x, labels({2, 0, 2, 1}), {.reduction = reduction});
    };
    check_passes(check_grads(plain, logits));
  }
  const auto pixels = [](const Tensor& x) { return nn::cross_entropy(x, labels({{{0, 1}, {2, 2}}})); };
  check_passes(check_grads(pixels, input({1, 3, 2, 2})));
}

TEST_CASE("a wrong model is caught, and the message names it and the parameter") {
  struct Detached : nn::Module {
    nn::Linear layer{3, 2};
    nn::Parameter scale{ones({2})};
    void members(nn::Members& m) override {
      m("layer", layer);
      m("scale", scale);
    }
    // The gradient of the square is lost.
    Tensor forward(const Tensor& x) override { return layer(x) * scale * scale.tensor().detach(); }
  };
  const CheckGradsReport report = check_grads(Detached(), input({2, 3}));
  CHECK(report.result == CheckGradsReport::Result::wrong);
  CHECK(report.input == "scale");
  CHECK(report.message.find("Detached") != std::string::npos);
  CHECK(report.message.find("scale") != std::string::npos);
  CHECK_THROWS_AS(nn::require_grads(Detached(), input({2, 3})), GradientError);
  CHECK_NOTHROW(nn::require_grads(nn::Tanh(), input({2, 3})));
}

TEST_CASE("frozen parameters are checked as well, and a forgotten one is found") {
  struct Frozen : nn::Module {
    nn::Parameter scale{ones({2})};
    Frozen() { scale.set_requires_grad(false); }
    void members(nn::Members& m) override { m("scale", scale); }
    Tensor forward(const Tensor& x) override { return x * scale * scale.tensor().detach(); }
  };
  CHECK(check_grads(Frozen(), input({2})).result == CheckGradsReport::Result::wrong);

  struct Forgetful : nn::Module {
    nn::Linear layer{2, 2};
    Tensor forward(const Tensor& x) override { return layer(x); }
  };
  CHECK_THROWS_AS(static_cast<void>(check_grads(Forgetful(), input({2}))), GraphError);
}

TEST_CASE("the user's own hook runs, too, and a name given is kept") {
  int calls = 0;
  const CheckGradsReport report =
      check_grads(nn::Tanh(), input({3}), {.name = "squash", .before_evaluation = [&] { ++calls; }});
  CHECK(report.ok());
  CHECK(calls > 0);
  CHECK(report.message.find("squash") != std::string::npos);
}
