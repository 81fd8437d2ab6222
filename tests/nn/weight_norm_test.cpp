// WeightNorm and SpectralNorm: PyTorch's numbers and names, derivatives, replays, copies.
#include "xtgrad/nn/weight_norm.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tests/nn/module_checks.h"
#include "tests/support/message_of.h"
#include "tests/support/values.h"
#include "xtgrad/nn/capture.h"
#include "xtgrad/nn/conv.h"
#include "xtgrad/nn/linear.h"
#include "xtgrad/nn/spectral_norm.h"

using namespace xtgrad;
using namespace nn_test;
using xtgrad::testing::message_of;
using xtgrad::testing::same_bits;

namespace {

std::vector<std::string> names_of(const nn::Stateful& object) {
  std::vector<std::string> names;
  for (const auto& [name, value] : object.state_dict()) names.push_back(name);
  return names;
}

nn::SpectralNorm<nn::Conv2d> spectral() {
  nn::SpectralNorm conv(nn::Conv2d{{.in_channels = 2, .out_channels = 3, .kernel = 2}},
                        {.n_power_iterations = 2});
  conv.layer.weight.set_value(ramp({3, 2, 2, 2}));
  conv.layer.bias.set_value(ramp({3}));
  conv.weight_u = tensor({0.6, 0.8, 0});
  conv.weight_v = full({8}, 1 / std::sqrt(8.0));
  return conv;
}

}  // namespace

TEST_CASE("WeightNorm has PyTorch's outputs, gradients and names") {
  nn::WeightNorm model{nn::Linear{3, 2}};
  CHECK(names_of(model) == std::vector<std::string>{"bias", "weight_g", "weight_v"});
  model.layer.weight.set_value(ramp({2, 3}));
  model.layer.bias.set_value(ramp({2}));
  model.weight_g.set_value(tensor({{0.5}, {-2}}));
  const Tensor y = model(ramp({4, 3}));
  check_numbers(elements(y),
                {-0.5697439, 0.9783367, -1.525379, -2.836308, -1.923156, 1.406511, -1.651504, 1.172961},
                1e-5);
  sum(square(y)).backward();
  check_numbers(elements(model.layer.weight.grad()),
                {0.3008523, 1.515159, 0.2060168, -0.710248, 4.851998, -1.053398}, 2e-5);
  check_numbers(elements(model.weight_g.grad()), {5.12573, -12.08534}, 1e-5);
}

TEST_CASE("at first WeightNorm computes what the layer does, along whatever dimension") {
  manual_seed(3);
  const nn::Conv2d conv{{.in_channels = 2, .out_channels = 3, .kernel = 2, .bias = false}};
  const Tensor x = randn({2, 2, 3, 3});
  const Tensor want = nn::Conv2d(conv)(x);
  const auto lengths = [&](const nn::WeightNormOptions& options) {
    nn::WeightNorm model(conv, options);
    check_numbers(elements(model(x)), elements(want), 1e-5);
    return model.weight_g.shape();
  };
  CHECK(lengths({}) == Shape{3, 1, 1, 1});
  CHECK(lengths({.dim = 1}) == Shape{1, 2, 1, 1});
  CHECK(lengths({.dim = -1}) == Shape{1, 1, 1, 2});
  CHECK(lengths({.dim = std::nullopt}) == Shape{});
  CHECK(message_of<ShapeError>([&] { return lengths({.dim = 4}); }).find("WeightNorm: axis 4") == 0);
}

TEST_CASE("SpectralNorm has PyTorch's outputs, gradients, vectors and names") {
  nn::SpectralNorm<nn::Conv2d> conv = spectral();
  CHECK(names_of(conv) == std::vector<std::string>{"bias", "weight_orig", "weight_u", "weight_v"});
  const Tensor x = ramp({1, 2, 2, 3}), y = conv(x);
  const Numbers want{-0.2557206, -3.213331, -0.7781968, 0.693825, -0.4311749, -0.3022883};
  check_numbers(elements(y), want, 1e-5);
  sum(square(y)).backward();
  check_numbers(
      elements(conv.layer.weight.grad()),
      {-0.997566, 1.824562,    1.43022,   2.313434,   2.261803,  -3.460112,  2.750675,   -0.05125034,
       0.652513,  -1.067031,   1.801759,  -3.022482,  0.5174753, 0.1991525,  -1.437975,  3.962203,
       0.2651047, -0.05244253, 0.4267915, -0.3336177, 0.3476336, -0.3324599, 0.06645848, 1.1076},
      2e-5, 1);
  check_numbers(elements(conv.weight_u), {0.4392565, 0.8602387, 0.2589268}, 1e-5);
  check_numbers(elements(conv.weight_v),
                {0.1040296, 0.07490553, -0.5284943, 0.4873224, -0.255028, 0.186513, 0.1573889, -0.5849615},
                1e-5);
  conv.eval();
  check_numbers(elements(conv(x)), want, 1e-5);
  check_numbers(elements(conv.weight_u), {0.4392565, 0.8602387, 0.2589268}, 1e-5);
}

TEST_CASE("power iteration comes to the largest singular value") {
  manual_seed(5);
  nn::SpectralNorm model(nn::Linear{{.in_features = 3, .out_features = 4, .bias = false}});
  for (int i = 0; i < 200; ++i) static_cast<void>(model(zeros({1, 3})));
  const Tensor y = model(eye(3));  // the weight, transposed
  CHECK(agrees(amax(svdvals(y)).item(), 1, 1e-5));
  nn::SpectralNorm up(nn::ConvTranspose2d{{.in_channels = 2, .out_channels = 5, .kernel = 1}}, {.dim = 1});
  CHECK(up.weight_u.shape() == Shape{5});
  CHECK(up.weight_v.shape() == Shape{2});
  CHECK(up(zeros({1, 2, 3, 3})).shape() == Shape{1, 5, 3, 3});
}

TEST_CASE("WeightNorm and SpectralNorm keep the rules of modules") {
  manual_seed(6);
  nn::WeightNorm model{nn::Linear{3, 2}}, other{nn::Linear{3, 2}};
  check_module(model, other, randn({2, 3}));
  nn::SpectralNorm spectral{nn::Linear{3, 2}}, another{nn::Linear{3, 2}};
  spectral.eval();  // in training each forward goes on from the one before
  another.eval();
  check_module(spectral, another, randn({2, 3}));
  CHECK(model.parameters().size() == 3);
  CHECK(spectral.named_buffers().size() == 2);
  spectral.to(float64);
  spectral.train();
  CHECK(spectral(zeros({1, 3}, {.dtype = float64})).dtype() == float64);
  CHECK(spectral.weight_u.dtype() == float64);
}

TEST_CASE("a captured SpectralNorm moves its vectors as another does") {
  nn::SpectralNorm<nn::Conv2d> conv = spectral(), same(conv);
  const auto step = [](nn::SpectralNorm<nn::Conv2d>& model, const Tensor& x) {
    model.zero_grad();
    const Tensor loss = sum(square(model(x)));
    loss.backward();
    return std::vector<Tensor>{loss.detach(), model.layer.weight.grad()};
  };
  const Tensor x = ramp({1, 2, 2, 3});
  auto replay = capture([&](const Tensor& input) { return step(conv, input); }, {x}, {&conv});
  for (int i = 0; i < 3; ++i) {
    const std::vector<Tensor> want = step(same, x), got = replay(x);
    CHECK(same_bits(got[0], want[0]));
    CHECK(same_bits(got[1], want[1]));
    CHECK(same_bits(conv.weight_u, same.weight_u));
  }
}

TEST_CASE("SpectralNorm says what does not fit") {
  const auto make = [](const nn::SpectralNormOptions& options) {
    return nn::SpectralNorm(nn::Linear{3, 2}, options).weight_u;
  };
  CHECK(message_of<ValueError>([&] { return make({.n_power_iterations = 0}); }) ==
        "SpectralNorm: n_power_iterations must be at least 1: got 0");
  CHECK(message_of<ValueError>([&] { return make({.eps = 0}); }) ==
        "SpectralNorm: eps must be positive and finite: got 0");
  CHECK(message_of<ShapeError>([&] { return make({.dim = 2}); }).find("SpectralNorm: axis 2") == 0);
}
