// Convolution of signals and volumes, against what PyTorch 2 computes of the same numbers.
#include "xtgrad/nn/conv_nd.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/nn/module_checks.h"
#include "tests/support/message_of.h"

using namespace xtgrad;
using namespace nn_test;
using xtgrad::testing::message_of;

namespace {

// Every option at another value.
const nn::Conv1dOptions signal{
    .in_channels = 4, .out_channels = 2, .kernel = 2, .stride = 2, .padding = 1, .dilation = 3, .groups = 2};
const nn::Conv3dOptions volume{.in_channels = 2,
                               .out_channels = 2,
                               .kernel = {2, 1, 2},
                               .stride = {2, 1, 2},
                               .padding = {1, 0, 1},
                               .dilation = {1, 1, 2},
                               .groups = 2};
const nn::ConvTranspose1dOptions longer{.in_channels = 4,
                                        .out_channels = 2,
                                        .kernel = 2,
                                        .stride = 3,
                                        .padding = 1,
                                        .output_padding = 2,
                                        .dilation = 2,
                                        .groups = 2};
const nn::ConvTranspose3dOptions larger{.in_channels = 2,
                                        .out_channels = 2,
                                        .kernel = {2, 1, 2},
                                        .stride = {2, 1, 2},
                                        .padding = {1, 0, 1},
                                        .output_padding = {1, 0, 0},
                                        .dilation = {2, 1, 1},
                                        .groups = 2};

/// What PyTorch computes of ramps: exact in both dtypes.
struct Golden {
  Shape in, out;
  Numbers y, dx, dw;
};

template <class M>
void check_golden(M layer, const Golden& golden) {
  for (const Dtype dtype : {float32, float64}) {
    layer.to(dtype);
    fill_with_ramps(layer);
    const Tensor x = ramp(golden.in, dtype).set_requires_grad();
    const Tensor y = layer(x);
    CHECK(y.shape() == golden.out);
    CHECK(y.dtype() == dtype);
    CHECK(elements(y) == golden.y);
    layer.zero_grad();
    sum(y).backward();
    CHECK(elements(x.grad()) == golden.dx);
    CHECK(elements(layer.weight.grad()) == golden.dw);
  }
}

}  // namespace

TEST_CASE("convolution of signals and volumes has PyTorch's values, gradients and layouts") {
  check_golden(nn::Conv1d(signal),
               {{1, 4, 7},
                {1, 2, 3},
                {-1.65625, -2.15625, -0.46875, 0.296875, -0.875, 1.78125},
                {0, -1.375, 0.375, -1.375, 0.375, 0, 0.375, 0, -0.75, 1,      -0.75, 1,      0, 1,
                 0, -0.125, -1.25, -0.125, -1.25, 0, -1.25, 0, 0.5,   -0.625, 0.5,   -0.625, 0, -0.625},
                {1.375, -0.375, 0, 1.875, -1.375, 1.25, 0.125, -2.25}});
  check_golden(nn::Conv3d(volume),
               {{1, 2, 3, 2, 3},
                {1, 2, 2, 2, 2},
                {-1, -1.65625, -1.5, -1.28125, -0.359375, -1.453125, -1.046875, -0.390625, 0.21875, 0.5,
                 0.53125, 0.25, 0.609375, 1.03125, 1.546875, 0.84375},
                {0, 0.25,   0, 0, 0.25,   0, 0, -1,     0, 0, -1,     0, 0, 0.25,   0, 0, 0.25,   0,
                 0, -0.125, 0, 0, -0.125, 0, 0, -1.375, 0, 0, -1.375, 0, 0, -0.125, 0, 0, -0.125, 0},
                {-1.75, -1.75, 2.25, 2.25, -2, -2, 1.75, 1.75}});
}

TEST_CASE("transposed convolution of signals and volumes has PyTorch's values, gradients and layouts") {
  check_golden(nn::ConvTranspose1d(longer),
               {{1, 4, 3},
                {1, 2, 9},
                {-1.375, -0.890625, -1.796875, -1.375, -1.359375, 0.59375, -1.375, -2.90625, -1.375, 0.375,
                 -0.25, -0.109375, 0.375, 1.859375, 0.546875, 0.375, -1.421875, 0.375},
                {0.375, -1, -1, 1, 0.25, 0.25, -1.25, -1.375, -1.375, -0.625, -0.125, -0.125},
                {-0.375, -1.75, -1.375, -0.375, 0.5, 1, -0.5, -0.5}});
  check_golden(nn::ConvTranspose3d(larger),
               {{1, 2, 2, 1, 3},
                {1, 2, 4, 1, 4},
                {-1.375, -1.375, -1.375, -1.375, -2.375, -1.484375, -1.046875, 0.90625,
                 -1.375, -1.375, -1.375, -1.375, -0.375, -1.28125,  -1.5,      -0.4375,
                 0.375,  0.375,  0.375,  0.375,  0.0625, 0.203125,  2.171875,  0.859375,
                 0.375,  0.375,  0.375,  0.375,  0.375,  -0.1875,   1.078125,  0.6875},
                {1, 0.25, -0.75, 1.375, -0.75, -2.125, -0.625, -0.125, 0.5, -1.875, -1.5, 0.375},
                {-1.375, 0.875, -1.75, -0.125, -0.5, -1.125, 0, -1.25}});
}

TEST_CASE("convolution of signals and volumes keeps the rules of modules") {
  manual_seed(4);
  nn::Conv1d one(signal), other_one(signal);
  check_module(one, other_one, randn({2, 4, 5}));
  nn::Conv3d three(volume), other_three(volume);
  check_module(three, other_three, randn({1, 2, 2, 1, 3}));
  nn::ConvTranspose1d back(longer), other_back(longer);
  check_module(back, other_back, randn({2, 4, 2}));
  nn::ConvTranspose3d up(larger), other_up(larger);
  check_module(up, other_up, randn({1, 2, 2, 1, 2}));
  CHECK(one.state_dict().at("weight").shape() == Shape{2, 2, 2});
  CHECK(three.state_dict().at("weight").shape() == Shape{2, 1, 2, 1, 2});
  CHECK(back.state_dict().at("weight").shape() == Shape{4, 1, 2});
  CHECK(up.state_dict().at("bias").shape() == Shape{2});
  CHECK(one(zeros({0, 4, 5})).shape() == Shape{0, 2, 2});
  CHECK(three(zeros({0, 2, 3, 2, 3})).shape() == Shape{0, 2, 2, 2, 2});
  nn::Conv1d plain{{.in_channels = 2, .out_channels = 3, .kernel = 3, .bias = false}};
  CHECK(plain.state_dict().size() == 1);
}

TEST_CASE("convolution of signals and volumes starts uniform in 1/sqrt of its inputs") {
  manual_seed(5);
  const nn::Conv3d layer{{.in_channels = 8, .out_channels = 50, .kernel = {1, 5, 5}, .groups = 2}};
  // 8 / 2 * 1 * 5 * 5 = 100
  for (const double b : elements(layer.bias)) CHECK(std::abs(b) <= 0.1);
  double largest = 0;
  for (const double w : elements(layer.weight)) largest = std::max(largest, std::abs(w));
  CHECK(largest <= 0.1);
  CHECK(largest > 0.09);
}

TEST_CASE("convolution of signals and volumes says what does not fit") {
  const auto signal_of = [](const nn::Conv1dOptions& options) { return nn::Conv1d(options).weight.shape(); };
  const auto volume_of = [](const nn::ConvTranspose3dOptions& options) {
    return nn::ConvTranspose3d(options).weight.shape();
  };
  CHECK(message_of<ValueError>([&] { return signal_of({.out_channels = 2, .kernel = 3}); }) ==
        "Conv1d: in_channels is required, and was not given");
  CHECK(message_of<ValueError>([&] { return signal_of({.in_channels = 2, .out_channels = 2}); }) ==
        "Conv1d: kernel is required, and was not given");
  CHECK(message_of<ValueError>([&] {
          return signal_of({.in_channels = 4, .out_channels = 6, .kernel = 3, .groups = 4});
        }) == "Conv1d: groups must divide out_channels: got 4 groups for 6 channels");
  CHECK(message_of<ValueError>([&] {
          return volume_of({.in_channels = 2, .out_channels = 2, .kernel = 3, .stride = {1, 0, 1}});
        }) == "ConvTranspose3d: stride must be at least 1: got 1x0x1");
  CHECK(message_of<ValueError>([&] {
          return volume_of({.in_channels = 2, .out_channels = 2, .kernel = 3, .output_padding = 1});
        }) == "ConvTranspose3d: output_padding must be less than stride: got 1x1x1, stride 1x1x1");
  nn::Sequential model{nn::Conv3d{{.in_channels = 3, .out_channels = 2, .kernel = 3}}};
  CHECK(message_of<ShapeError>([&] {
          return model(zeros({2, 3, 5, 5}));
        }) == "Conv3d (0): input must be [n, 3, d, h, w]: got [2, 3, 5, 5]");
  nn::Conv1d layer{{.in_channels = 3, .out_channels = 2, .kernel = 3}};
  CHECK(message_of<DtypeError>([&] {
          return layer(zeros({2, 3, 5}, {.dtype = float64}));
        }) == "Conv1d: input is float64, weight is float32; convert the input or the model with to()");
}
