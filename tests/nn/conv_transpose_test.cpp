// ConvTranspose2d against loops that scatter, and as the adjoint of Conv2d.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/nn/module_checks.h"
#include "tests/support/message_of.h"
#include "xtgrad/nn/conv.h"

using namespace xtgrad;
using namespace nn_test;
using xtgrad::testing::message_of;

namespace {

/// The definition as loops: each element of x adds its kernel, and what falls outside is left out.
Numbers scatter(const Tensor& x, const Tensor& w, const Tensor& bias, const nn::ConvTranspose2dOptions& o,
                const Shape& out) {
  Numbers y(static_cast<std::size_t>(out.numel()), 0);
  const auto place = [&](std::int64_t n, std::int64_t c, std::int64_t i, std::int64_t j) {
    return static_cast<std::size_t>(((n * out[1] + c) * out[2] + i) * out[3] + j);
  };
  const std::int64_t in_group = o.in_channels / o.groups, out_group = o.out_channels / o.groups;
  for (std::int64_t n = 0; n < x.size(0); ++n) {
    for (std::int64_t c = 0; c < o.in_channels; ++c) {
      for (std::int64_t i = 0; i < x.size(2); ++i) {
        for (std::int64_t j = 0; j < x.size(3); ++j) {
          for (std::int64_t k = 0; k < out_group; ++k) {
            for (std::int64_t u = 0; u < w.size(2); ++u) {
              for (std::int64_t v = 0; v < w.size(3); ++v) {
                const std::int64_t row = i * o.stride.height - o.padding.height + u * o.dilation.height;
                const std::int64_t column = j * o.stride.width - o.padding.width + v * o.dilation.width;
                if (row < 0 || row >= out[2] || column < 0 || column >= out[3]) continue;
                y[place(n, c / in_group * out_group + k, row, column)] +=
                    x.at({n, c, i, j}) * w.at({c, k, u, v});
              }
            }
          }
        }
      }
    }
  }
  if (!bias.defined()) return y;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const auto c = static_cast<std::int64_t>(i) / (out[2] * out[3]) % out[1];
    y[i] += bias.at({c});
  }
  return y;
}

void check_scatters(const nn::ConvTranspose2dOptions& options, const Shape& in, const Shape& out) {
  for (const Dtype dtype : {float32, float64}) {
    nn::ConvTranspose2d up(options);
    up.to(dtype);
    fill_with_ramps(up);
    const Tensor x = ramp(in, dtype);
    const Tensor y = up(x);
    REQUIRE(y.shape() == out);
    CHECK(y.dtype() == dtype);
    // Sums of multiples of 1/64 are exact in both.
    CHECK(elements(y) == scatter(x, up.weight, options.bias ? up.bias.tensor() : Tensor(), options, out));
  }
}

const nn::ConvTranspose2dOptions every_option{.in_channels = 4,
                                              .out_channels = 6,
                                              .kernel = {3, 2},
                                              .stride = {3, 2},
                                              .padding = {1, 0},
                                              .output_padding = {2, 1},
                                              .dilation = {1, 2},
                                              .groups = 2};

}  // namespace

TEST_CASE("ConvTranspose2d adds a kernel for each element, plus bias") {
  check_scatters({.in_channels = 1, .out_channels = 1, .kernel = 1}, {1, 1, 1, 1}, {1, 1, 1, 1});
  check_scatters({.in_channels = 3, .out_channels = 2, .kernel = 2, .stride = 2}, {2, 3, 3, 4}, {2, 2, 6, 8});
  check_scatters({.in_channels = 2, .out_channels = 3, .kernel = 3, .padding = 1, .bias = false},
                 {1, 2, 4, 5}, {1, 3, 4, 5});
  // (h - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1
  check_scatters(every_option, {2, 4, 3, 2}, {2, 6, 6 - 2 + 2 + 2 + 1, 2 - 0 + 2 + 1 + 1});
}

TEST_CASE("ConvTranspose2d without bias is the adjoint of Conv2d: <up(x), y> = <x, down(y)>") {
  nn::ConvTranspose2d up{{.in_channels = 4,
                          .out_channels = 2,
                          .kernel = 3,
                          .stride = 2,
                          .padding = 1,
                          .output_padding = 1,
                          .bias = false}};
  nn::Conv2d down{
      {.in_channels = 2, .out_channels = 4, .kernel = 3, .stride = 2, .padding = 1, .bias = false}};
  up.to(float64);
  down.to(float64);
  fill_with_ramps(up);
  down.weight.set_value(up.weight);
  const Tensor x = ramp({2, 4, 3, 3}, float64), y = ramp({2, 2, 6, 6}, float64);
  CHECK(sum(up(x) * y).item() == sum(x * down(y)).item());
}

TEST_CASE("ConvTranspose2d keeps the rules of modules") {
  manual_seed(4);
  nn::ConvTranspose2d up(every_option), other(every_option);
  check_module(up, other, randn({2, 4, 3, 2}));
  CHECK(up.state_dict().at("weight").shape() == Shape{4, 3, 3, 2});
  CHECK(up.state_dict().at("bias").shape() == Shape{6});
  CHECK(up.options().groups == 2);
  CHECK(up.summary(zeros({1, 4, 3, 2})) ==
        "module   type             output        parameters\n"
        "(model)  ConvTranspose2d  [1, 6, 9, 6]          78\n"
        "total: 78 parameters, 78 learning, 312 bytes\n");
  CHECK(up(zeros({0, 4, 3, 2})).shape() == Shape{0, 6, 9, 6});
  sum(up(zeros({0, 4, 3, 2}))).backward();
  CHECK(elements(up.weight.grad()) == Numbers(72, 0));
  CHECK(elements(up.bias.grad()) == Numbers(6, 0));
}

TEST_CASE("ConvTranspose2d starts uniform in 1/sqrt of its outputs' side") {
  manual_seed(5);
  const nn::ConvTranspose2d up{{.in_channels = 400, .out_channels = 8, .kernel = 5, .groups = 2}};
  // 8 / 2 * 5 * 5 = 100
  for (const double b : elements(up.bias)) CHECK(std::abs(b) <= 0.1);
  double squares = 0;
  for (const double w : elements(up.weight)) {
    CHECK(std::abs(w) <= 0.1);
    squares += w * w / 40000;
  }
  // The variance of U(-0.1, 0.1), of 40,000 draws known to 0.5 %; six of them.
  CHECK(agrees(squares, 0.01 / 3, 0.03));
}

TEST_CASE("ConvTranspose2d says what does not fit") {
  const auto make = [](const nn::ConvTranspose2dOptions& options) {
    return nn::ConvTranspose2d(options).weight.shape();
  };
  CHECK(message_of<ValueError>([&] { return make({.out_channels = 2, .kernel = 3}); }) ==
        "ConvTranspose2d: in_channels is required, and was not given");
  CHECK(message_of<ValueError>([&] { return make({.in_channels = 2, .out_channels = 2}); }) ==
        "ConvTranspose2d: kernel is required, and was not given");
  CHECK(message_of<ValueError>([&] {
          return make(
              {.in_channels = 2, .out_channels = 2, .kernel = 3, .stride = {2, 1}, .output_padding = 1});
        }) == "ConvTranspose2d: output_padding must be less than stride: got 1x1, stride 2x1");
  CHECK(message_of<ValueError>([&] {
          return make({.in_channels = 2, .out_channels = 2, .kernel = 3, .output_padding = -1});
        }) == "ConvTranspose2d: output_padding must be at least 0: got -1x-1");
  CHECK(message_of<ValueError>([&] {
          return make({.in_channels = 4, .out_channels = 6, .kernel = 3, .groups = 4});
        }) == "ConvTranspose2d: groups must divide out_channels: got 4 groups for 6 channels");
  nn::Sequential model{nn::ConvTranspose2d{{.in_channels = 3, .out_channels = 2, .kernel = 3}}, nn::ReLU{}};
  CHECK(message_of<ShapeError>([&] {
          return model(zeros({2, 4, 5, 5}));
        }) == "ConvTranspose2d (0): input must be [n, 3, h, w]: got [2, 4, 5, 5]");
  CHECK(message_of<DtypeError>([&] {
          return model(zeros({2, 3, 5, 5}, {.dtype = float64}));
        }) ==
        "ConvTranspose2d (0): input is float64, weight is float32; convert the input or the model with to()");
}
