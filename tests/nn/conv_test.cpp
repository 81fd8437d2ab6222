#include "xtgrad/nn/conv.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/nn/models.h"
#include "tests/nn/support.h"
#include "xtgrad/autograd/errors.h"

using namespace xtgrad;
using nn_test::close;
using nn_test::elements;

namespace {

/// Multiples of 1/8 in a fixed disorder, which both dtypes hold.
Tensor ramp(const Shape& shape, Dtype dtype = float32) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < shape.numel(); ++i)
    values.push_back(static_cast<double>(i * 37 % 23 - 11) / 8);
  return reshape(from_vector(values), shape).to(dtype);
}

nn::Conv2d numbered(const nn::Conv2dOptions& options, Dtype dtype) {
  nn::Conv2d conv(options);
  conv.to(dtype);
  for (const nn::ParameterRef& parameter : conv.parameters())
    parameter->set_value(ramp(parameter->shape(), dtype));
  return conv;
}

/// The definition, as loops: element by element, in long double.
std::vector<double> convolve(const Tensor& image, const Tensor& kernels, const Tensor& bias,
                             const nn::Conv2dOptions& o, const Shape& out) {
  std::vector<double> result;
  const std::int64_t per_group = o.out_channels / o.groups;
  const Shape& w = kernels.shape();
  for (std::int64_t n = 0; n < out[0]; ++n) {
    for (std::int64_t c = 0; c < out[1]; ++c) {
      for (std::int64_t i = 0; i < out[2]; ++i) {
        for (std::int64_t j = 0; j < out[3]; ++j) {
          long double total = bias.defined() ? bias.at({c}) : 0;
          for (std::int64_t k = 0; k < w[1]; ++k) {
            for (std::int64_t y = 0; y < w[2]; ++y) {
              for (std::int64_t x = 0; x < w[3]; ++x) {
                const std::int64_t row = i * o.stride.height - o.padding.height + y * o.dilation.height;
                const std::int64_t column = j * o.stride.width - o.padding.width + x * o.dilation.width;
                if (row < 0 || row >= image.size(2) || column < 0 || column >= image.size(3)) continue;
                total += static_cast<long double>(image.at({n, c / per_group * w[1] + k, row, column})) *
                         static_cast<long double>(kernels.at({c, k, y, x}));
              }
            }
          }
          result.push_back(static_cast<double>(total));
        }
      }
    }
  }
  return result;
}

void check_convolves(const nn::Conv2dOptions& options, const Shape& in, const Shape& out) {
  for (const Dtype dtype : {float32, float64}) {
    nn::Conv2d conv = numbered(options, dtype);
    const Tensor x = ramp(in, dtype);
    const Tensor y = conv(x);
    REQUIRE(y.shape() == out);
    CHECK(y.dtype() == dtype);
    // Sums of multiples of 1/64 are exact in both.
    CHECK(elements(y) ==
          convolve(x, conv.weight, options.bias ? conv.bias.tensor() : Tensor(), options, out));
  }
}

}  // namespace

TEST_CASE("Conv2d is the sum over the window and the group's channels, plus bias") {
  check_convolves({.in_channels = 1, .out_channels = 1, .kernel = 1}, {1, 1, 1, 1}, {1, 1, 1, 1});
  check_convolves({.in_channels = 3, .out_channels = 4, .kernel = 3, .padding = 1}, {2, 3, 5, 6},
                  {2, 4, 5, 6});
  check_convolves({.in_channels = 2, .out_channels = 3, .kernel = {3, 2}, .stride = 2, .bias = false},
                  {2, 2, 7, 6}, {2, 3, 3, 3});
  check_convolves({.in_channels = 4,
                   .out_channels = 6,
                   .kernel = {3, 2},
                   .stride = {2, 1},
                   .padding = {1, 0},
                   .dilation = {1, 2},
                   .groups = 2},
                  {2, 4, 5, 4}, {2, 6, 3, 2});
  check_convolves({.in_channels = 3, .out_channels = 6, .kernel = 3, .padding = 1, .groups = 3}, {1, 3, 4, 4},
                  {1, 6, 4, 4});
}

TEST_CASE("Conv2d gives the values of PyTorch 1.13") {
  // torch.nn.functional.conv2d(x, w, b, stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2), in
  // float64, of x [2, 4, 5, 4], w [6, 2, 3, 2], b [6] that are each (torch.arange(n) * 37 % 23 - 11) / 8
  nn::Conv2d conv = numbered({.in_channels = 4,
                              .out_channels = 6,
                              .kernel = {3, 2},
                              .stride = {2, 1},
                              .padding = {1, 0},
                              .dilation = {1, 2},
                              .groups = 2},
                             float64);
  const Tensor y = conv(ramp({2, 4, 5, 4}, float64));
  const std::vector<double> all = elements(y);
  const std::vector<double> first(all.begin(), all.begin() + 6);
  CHECK(first == std::vector<double>{-2.484375, 2.03125, -4.53125, 3.046875, 1.1875, -3.046875});
  CHECK(sum(y).item() == -19.25);
  CHECK(sum(square(y)).item() == 445.080078125);
}

TEST_CASE("a kernel that looks for edges finds them") {
  nn::Conv2d conv{{.in_channels = 1, .out_channels = 2, .kernel = 3, .padding = 1, .bias = false}};
  conv.weight.set_value(
      tensor({{{{-1, 0, 1}, {-1, 0, 1}, {-1, 0, 1}}}, {{{-1, -1, -1}, {0, 0, 0}, {1, 1, 1}}}}));
  const Tensor y = conv(tensor({{{{0, 0, 1, 1}, {0, 0, 1, 1}, {0, 0, 1, 1}}}}));
  CHECK(elements(slice(y, {.axis = 1, .stop = 1})) ==
        std::vector<double>{0, 2, 2, -2, 0, 3, 3, -3, 0, 2, 2, -2});
  CHECK(elements(slice(y, {.axis = 1, .start = 1})) ==
        std::vector<double>{0, 1, 2, 2, 0, 0, 0, 0, 0, -1, -2, -2});
}

TEST_CASE("Conv2d's names and layouts are PyTorch's") {
  const nn::Conv2d conv{{.in_channels = 4, .out_channels = 6, .kernel = {3, 2}, .groups = 2}};
  const nn::StateDict state = conv.state_dict();
  REQUIRE(state.size() == 2);
  CHECK(state.begin()->name == "weight");
  CHECK(state.at("weight").shape() == Shape{6, 2, 3, 2});
  CHECK(state.at("bias").shape() == Shape{6});
  const nn::Conv2d bare{{.in_channels = 1, .out_channels = 2, .kernel = 1, .bias = false}};
  CHECK(bare.state_dict().size() == 1);
  CHECK_FALSE(bare.bias.defined());
  CHECK(conv.options().groups == 2);
}

TEST_CASE("Conv2d starts uniform in 1/sqrt of the inputs of an output") {
  manual_seed(5);
  const nn::Conv2d conv{{.in_channels = 8, .out_channels = 400, .kernel = 5, .groups = 2}};
  // 8 / 2 * 5 * 5 = 100
  for (const nn::ParameterRef& parameter : conv.parameters()) {
    double sum_of_squares = 0;
    for (const double w : elements(parameter->tensor())) {
      CHECK(std::abs(w) <= 0.1);
      sum_of_squares += w * w;
    }
    // The variance of U(-0.1, 0.1) is 0.01 / 3; of n draws, known to 0.9/sqrt(n), and n is 400 at least.
    CHECK(close(sum_of_squares / static_cast<double>(parameter->numel()), 0.01 / 3, 0.2));
  }
  const DefaultDtype in_double(float64);
  CHECK(nn::Conv2d({.in_channels = 1, .out_channels = 1, .kernel = 1}).weight.dtype() == float64);
}

TEST_CASE("Conv2d takes batches of zero and one") {
  nn::Conv2d conv{{.in_channels = 2, .out_channels = 3, .kernel = 3}};
  CHECK(conv(zeros({0, 2, 5, 5})).shape() == Shape{0, 3, 3, 3});
  CHECK(conv(zeros({1, 2, 3, 3})).shape() == Shape{1, 3, 1, 1});
  sum(conv(zeros({0, 2, 5, 5}))).backward();
  CHECK(elements(conv.weight.grad()) == std::vector<double>(54, 0));
  CHECK(elements(conv.bias.grad()) == std::vector<double>(3, 0));
}

TEST_CASE("Conv2d's options are checked, and named") {
  const auto make = [](const nn::Conv2dOptions& options) { nn::Conv2d conv(options); };
  CHECK_THROWS_WITH_AS(make({.out_channels = 2, .kernel = 3}),
                       "Conv2d: in_channels is required, and was not given", ValueError);
  CHECK_THROWS_WITH_AS(make({.in_channels = 2, .kernel = 3}),
                       "Conv2d: out_channels is required, and was not given", ValueError);
  CHECK_THROWS_WITH_AS(make({.in_channels = 2, .out_channels = 2}),
                       "Conv2d: kernel is required, and was not given", ValueError);
  CHECK_THROWS_WITH_AS(make({.in_channels = 0, .out_channels = 2, .kernel = 3}),
                       "Conv2d: in_channels must be at least 1: got 0", ValueError);
  CHECK_THROWS_WITH_AS(make({.in_channels = 2, .out_channels = 2, .kernel = {3, 0}}),
                       "Conv2d: kernel must be at least 1: got 3x0", ValueError);
  CHECK_THROWS_WITH_AS(make({.in_channels = 2, .out_channels = 2, .kernel = 3, .stride = {0, 1}}),
                       "Conv2d: stride must be at least 1: got 0x1", ValueError);
  CHECK_THROWS_WITH_AS(make({.in_channels = 2, .out_channels = 2, .kernel = 3, .padding = -1}),
                       "Conv2d: padding must be at least 0: got -1x-1", ValueError);
  CHECK_THROWS_WITH_AS(make({.in_channels = 2, .out_channels = 2, .kernel = 3, .dilation = 0}),
                       "Conv2d: dilation must be at least 1: got 0x0", ValueError);
  CHECK_THROWS_WITH_AS(make({.in_channels = 2, .out_channels = 2, .kernel = 3, .groups = 0}),
                       "Conv2d: groups must be at least 1: got 0", ValueError);
  CHECK_THROWS_WITH_AS(make({.in_channels = 4, .out_channels = 6, .kernel = 3, .groups = 3}),
                       "Conv2d: groups must divide in_channels: got 3 groups for 4 channels", ValueError);
  CHECK_THROWS_WITH_AS(make({.in_channels = 4, .out_channels = 6, .kernel = 3, .groups = 4}),
                       "Conv2d: groups must divide out_channels: got 4 groups for 6 channels", ValueError);
}

TEST_CASE("Conv2d says which layer got an input that does not fit") {
  struct Model : nn::Module {
    nn::Conv2d edges{{.in_channels = 3, .out_channels = 2, .kernel = 3}};
    void members(nn::Members& m) override { m("edges", edges); }
    Tensor forward(const Tensor& x) override { return edges(x); }
  };
  Model model;
  CHECK_THROWS_WITH_AS(static_cast<void>(model(zeros({2, 4, 5, 5}))),
                       "Conv2d (edges): input must be [n, 3, h, w]: got [2, 4, 5, 5]", ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(model(zeros({3, 5, 5}))),
                       "Conv2d (edges): input must be [n, 3, h, w]: got [3, 5, 5]", ShapeError);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(model(zeros({2, 3, 5, 5}, {.dtype = float64}))),
      "Conv2d (edges): input is float64, weight is float32; convert the input or the model with to()",
      DtypeError);
  CHECK_THROWS_AS(static_cast<void>(model(zeros({2, 3, 2, 5}))), ShapeError);
}
