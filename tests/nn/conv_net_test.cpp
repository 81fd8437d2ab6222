#include "xtgrad/nn/conv_net.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/nn/support.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/losses.h"

using namespace xtgrad;
using nn::ActivationKind;
using nn_test::elements;

namespace {

std::vector<std::string> names(const nn::Module& module) {
  std::vector<std::string> all;
  for (const auto& entry : module.state_dict()) all.push_back(entry.name);
  return all;
}

void make(const nn::ConvNetOptions& options) { nn::ConvNet model(options); }

}  // namespace

TEST_CASE("the default network is two stages and two layers for 28x28") {
  nn::ConvNet model;
  REQUIRE(model.convs.size() == 2);
  CHECK(model.norms.empty());
  CHECK(model.pools.size() == 2);
  CHECK(model.layers.size() == 2);
  CHECK(model.dropouts.empty());
  CHECK(model.convs[0].weight.shape() == Shape{16, 1, 3, 3});
  CHECK(model.convs[1].weight.shape() == Shape{32, 16, 3, 3});
  for (const nn::Conv2d& conv : model.convs) {
    CHECK(conv.bias.defined());
    CHECK(conv.options().padding == Size2d(1));
    CHECK(conv.options().stride == Size2d(1));
  }
  for (const nn::MaxPool2d& pool : model.pools) {
    CHECK(pool.options().kernel == Size2d(2));
    CHECK_FALSE(pool.options().stride.has_value());
    CHECK(pool.options().padding == Size2d(0));
  }
  CHECK(model.layers[0].weight.shape() == Shape{128, 32 * 7 * 7});
  CHECK(model.layers[1].weight.shape() == Shape{10, 128});
  CHECK(model.parameter_count() == 160 + 4640 + 200832 + 1290);
  CHECK(names(model) == std::vector<std::string>{"convs.0.weight", "convs.0.bias", "convs.1.weight",
                                                 "convs.1.bias", "layers.0.weight", "layers.0.bias",
                                                 "layers.1.weight", "layers.1.bias"});
  const Tensor x = randn({3, 1, 28, 28});
  Tensor y = max_pool2d(relu(model.convs[0](x)), {.kernel = 2});
  y = max_pool2d(relu(model.convs[1](y)), {.kernel = 2});
  y = model.layers[1](relu(model.layers[0](flatten(y, 1))));
  CHECK(elements(model(x)) == elements(y));
}

TEST_CASE("relu after pooling has the values and gradients of relu before it, ties and zeros included") {
  manual_seed(8);
  nn::ConvNet model{{.image = 6, .channels = {2}, .kernel = 1, .hidden = {}, .classes = 3}};
  model.convs[0].weight.set_value(tensor({{{{1}}}, {{{-1}}}}));
  model.convs[0].bias.set_value(zeros({2}));
  // Few different values, so windows have equal positive elements, equal zeros and equal negative ones.
  Random random(3);
  for (int round = 0; round < 20; ++round) {
    std::vector<double> pixels;
    for (int i = 0; i < 2 * 36; ++i) pixels.push_back(static_cast<double>(random.next_below(4)) - 2);
    const Tensor x = reshape(from_vector(pixels).to(float32), Shape{2, 1, 6, 6}).set_requires_grad();
    const Tensor before = max_pool2d(relu(model.convs[0](x)), {.kernel = 2});
    const Tensor after = model.feature_maps(x, 0);
    CHECK(elements(after) == elements(before));
    const Tensor g = randn({2, 2, 3, 3});
    const Tensor expected = grad({before}, {x}, {.cotangents = {g}})[0];
    CHECK(elements(grad({after}, {x}, {.cotangents = {g}})[0]) == elements(expected));
  }
}

TEST_CASE("other activations come before pooling, for they need not be monotone") {
  manual_seed(8);
  nn::ConvNet model{{.image = 4, .channels = {2}, .activation = ActivationKind::silu}};
  const Tensor x = randn({2, 1, 4, 4});
  CHECK(elements(model.feature_maps(x, 0)) == elements(max_pool2d(silu(model.convs[0](x)), {.kernel = 2})));
}

TEST_CASE("slope and alpha are those of the activations") {
  for (const bool is_elu : {false, true}) {
    manual_seed(8);
    nn::ConvNet model{{.image = 4,
                       .channels = {2},
                       .hidden = {3},
                       .activation = is_elu ? ActivationKind::elu : ActivationKind::leaky_relu,
                       .slope = 0.1,
                       .alpha = 0.5}};
    const auto activated = [&](const Tensor& x) { return is_elu ? elu(x, 0.5) : leaky_relu(x, 0.1); };
    const Tensor x = randn({2, 1, 4, 4});
    const Tensor maps = max_pool2d(activated(model.convs[0](x)), {.kernel = 2});
    CHECK(elements(model.feature_maps(x, 0)) == elements(maps));
    CHECK(elements(model.features(x)) == elements(activated(model.layers[0](flatten(maps, 1)))));
  }
}

TEST_CASE("sizes, channels, kernels and layers are options") {
  nn::ConvNet model{{.in_channels = 3,
                     .image = {9, 12},
                     .channels = {4, 5},
                     .kernel = {3, 5},
                     .pool = {1, 2},
                     .hidden = {7, 6},
                     .classes = 2}};
  CHECK(model.convs[0].options().padding == Size2d(1, 2));
  CHECK(model.feature_maps(zeros({2, 3, 9, 12}), 0).shape() == Shape{2, 4, 9, 6});
  CHECK(model.feature_maps(zeros({2, 3, 9, 12}), 1).shape() == Shape{2, 5, 9, 3});
  CHECK(model.features(zeros({2, 3, 9, 12})).shape() == Shape{2, 6});
  CHECK(model(zeros({2, 3, 9, 12})).shape() == Shape{2, 2});
  CHECK(model.options().classes == 2);
  // Without padding the image shrinks; without pooling it does not.
  nn::ConvNet bare{{.image = 6, .channels = {2}, .padding = Size2d(0), .pool = 1}};
  CHECK(bare.pools.empty());
  CHECK(bare.feature_maps(zeros({1, 1, 6, 6}), 0).shape() == Shape{1, 2, 4, 4});
  nn::ConvNet even{{.image = 6, .channels = {2}, .kernel = 4, .pool = 1}};
  CHECK(even.feature_maps(zeros({1, 1, 6, 6}), 0).shape() == Shape{1, 2, 5, 5});
}

TEST_CASE("without stages, or without hidden layers") {
  nn::ConvNet dense{{.in_channels = 2, .image = 3, .channels = {}, .hidden = {4}}};
  CHECK(dense.layers[0].weight.shape() == Shape{4, 18});
  CHECK(dense(zeros({5, 2, 3, 3})).shape() == Shape{5, 10});
  nn::ConvNet shallow{{.image = 4, .channels = {3}, .hidden = {}}};
  CHECK(shallow.layers.size() == 1);
  CHECK(shallow.features(zeros({5, 1, 4, 4})).shape() == Shape{5, 12});
  CHECK(shallow(zeros({5, 1, 4, 4})).shape() == Shape{5, 10});
}

TEST_CASE("batch normalisation stands between convolution and activation, and takes over its bias") {
  manual_seed(8);
  nn::ConvNet model{{.image = 8, .channels = {2, 3}, .hidden = {4}, .batch_norm = true}};
  CHECK(model.norms.size() == 2);
  CHECK_FALSE(model.convs[0].bias.defined());
  CHECK(names(model)[1] == "norms.0.weight");
  const Tensor x = randn({4, 1, 8, 8});
  nn::ConvNet copy = model;
  const Tensor normal = batch_norm(copy.convs[0](x), copy.norms[0].weight, copy.norms[0].bias);
  CHECK(elements(model.feature_maps(x, 0)) == elements(max_pool2d(relu(normal), {.kernel = 2})));
  CHECK(model.norms[0].num_batches_tracked == 1);
  model.eval();
  static_cast<void>(model(x));
  CHECK(model.norms[0].num_batches_tracked == 1);
}

TEST_CASE("dropout acts on the inputs of each dense layer, while training") {
  manual_seed(8);
  nn::ConvNet model{{.image = 8, .channels = {4}, .hidden = {50}, .dropout = 0.5}};
  CHECK(model.dropouts.size() == 2);
  const Tensor x = randn({2, 1, 8, 8});
  CHECK(elements(model(x)) != elements(model(x)));
  model.eval();
  CHECK(elements(model(x)) == elements(model(x)));
  CHECK(names(model)[2] == "dropouts.0.stream");
  nn::ConvNet all{{.image = 8, .channels = {4}, .hidden = {5}, .dropout = 1}};
  const std::vector<double> scores = elements(all(ones({1, 1, 8, 8})));
  CHECK(scores == elements(all.layers[1].bias));
}

TEST_CASE("both dtypes, empty batches, copies of its own") {
  nn::ConvNet model{{.image = 8, .channels = {2, 3}, .hidden = {4}, .batch_norm = true, .dropout = 0.2}};
  CHECK(model(zeros({0, 1, 8, 8})).shape() == Shape{0, 10});
  CHECK(model(zeros({1, 1, 8, 8})).shape() == Shape{1, 10});
  nn::ConvNet copy = model;
  copy.to(float64);
  CHECK(copy(zeros({2, 1, 8, 8}, {.dtype = float64})).dtype() == float64);
  CHECK(model.convs[0].weight.dtype() == float32);
}

TEST_CASE("a few steps of descent lower the loss, and every parameter gets a gradient") {
  manual_seed(8);
  nn::ConvNet model{{.image = 8, .channels = {4, 4}, .hidden = {8}, .classes = 3, .batch_norm = true}};
  const Tensor x = randn({6, 1, 8, 8});
  const Tensor labels = tensor({0, 1, 2, 0, 1, 2}, {.dtype = int64});
  double first = 0;
  double last = 0;
  for (int step = 0; step < 20; ++step) {
    const Tensor loss = nn::cross_entropy(model(x), labels);
    last = loss.item();
    if (step == 0) first = last;
    model.zero_grad();
    loss.backward();
    for (const nn::ParameterRef& parameter : model.parameters()) {
      REQUIRE(parameter->grad().defined());
      const NoGrad no_grad;
      parameter->set_value(parameter->tensor() - 0.1 * parameter->grad());
    }
  }
  CHECK(last < 0.5 * first);
}

TEST_CASE("what ConvNet refuses, and what it says") {
  CHECK_THROWS_WITH_AS(make({.in_channels = 0}), "ConvNet: in_channels must be at least 1: got 0",
                       ValueError);
  CHECK_THROWS_WITH_AS(make({.image = {28, 0}}), "ConvNet: image must be at least 1: got 28x0", ValueError);
  CHECK_THROWS_WITH_AS(make({.channels = {16, 0}}), "ConvNet: channels[1] must be at least 1: got 0",
                       ValueError);
  CHECK_THROWS_WITH_AS(make({.kernel = 0}), "ConvNet: kernel must be at least 1: got 0x0", ValueError);
  CHECK_THROWS_WITH_AS(make({.padding = Size2d(-1)}), "ConvNet: padding must be at least 0: got -1x-1",
                       ValueError);
  CHECK_THROWS_WITH_AS(make({.pool = 0}), "ConvNet: pool must be at least 1: got 0x0", ValueError);
  CHECK_THROWS_WITH_AS(make({.hidden = {-1}}), "ConvNet: hidden[0] must be at least 1: got -1", ValueError);
  CHECK_THROWS_WITH_AS(make({.classes = 0}), "ConvNet: classes must be at least 1: got 0", ValueError);
  CHECK_THROWS_WITH_AS(make({.dropout = 1.5}), "ConvNet: dropout must be in [0, 1]: got 1.5", ValueError);
  CHECK_THROWS_WITH_AS(
      make({.image = 7, .channels = {2, 2, 2}}),
      "ConvNet: stage 2: the pooling window is larger than what is left of the image: 2x2 over "
      "1x1, of 7x7 at first; take fewer stages, a smaller window or larger images",
      ShapeError);
}

TEST_CASE("a kernel that is larger than the image is an error that names the stage") {
  CHECK_THROWS_WITH_AS(
      make({.image = {9, 4}, .channels = {2, 2}, .padding = Size2d(0), .pool = 1, .hidden = {}}),
      "ConvNet: stage 1: the kernel is larger than what is left of the image: 3x3 over 7x2, of "
      "9x4 at first; take fewer stages, a smaller window or larger images",
      ShapeError);
}

TEST_CASE("ConvNet says what input it takes, and which stages it has") {
  nn::ConvNet model{{.image = {8, 6}, .channels = {2}}};
  CHECK_THROWS_WITH_AS(static_cast<void>(model(zeros({2, 1, 6, 8}))),
                       "ConvNet: input must be [n, 1, 8, 6]: got [2, 1, 6, 8]", ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(model(zeros({2, 48}))),
                       "ConvNet: input must be [n, 1, 8, 6]: got [2, 48]", ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(model.feature_maps(zeros({2, 1, 8, 6}), 1)),
                       "ConvNet: no stage 1; there are 1", ValueError);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(model(zeros({2, 1, 8, 6}, {.dtype = float64}))),
      "Conv2d (convs.0): input is float64, weight is float32; convert the input or the model with to()",
      DtypeError);
}
