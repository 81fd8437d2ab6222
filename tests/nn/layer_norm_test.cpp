// LayerNorm and GroupNorm, and the functions behind them, against plain loops in double.
#include "xtgrad/nn/layer_norm.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/nn/module_checks.h"
#include "tests/support/message_of.h"

using namespace xtgrad;
using namespace nn_test;
using xtgrad::testing::message_of;

namespace {

/// Each run of `inner` numbers less its mean, over the root of its biased variance plus eps.
Numbers standardized(const Numbers& x, std::size_t inner, double eps) {
  Numbers y = x;
  for (std::size_t row = 0; row < x.size(); row += inner) {
    long double total = 0, squares = 0;
    for (std::size_t i = row; i < row + inner; ++i) total += x[i];
    const long double average = total / inner;
    for (std::size_t i = row; i < row + inner; ++i) squares += (x[i] - average) * (x[i] - average);
    for (std::size_t i = row; i < row + inner; ++i)
      y[i] = static_cast<double>((x[i] - average) / std::sqrt(squares / inner + eps));
  }
  return y;
}

/// The gradient of sum(g * y) for y = standardized(x): by hand, (g - mean g - y mean(g y)) / deviation.
Numbers standardized_gradient(const Numbers& x, const Numbers& g, std::size_t inner, double eps) {
  const Numbers y = standardized(x, inner, eps);
  Numbers dx = x;
  for (std::size_t row = 0; row < x.size(); row += inner) {
    double mean_x = 0, mean_g = 0, mean_gy = 0, variance = 0;
    const auto n = static_cast<double>(inner);
    for (std::size_t i = row; i < row + inner; ++i) {
      mean_x += x[i] / n;
      mean_g += g[i] / n;
      mean_gy += g[i] * y[i] / n;
    }
    for (std::size_t i = row; i < row + inner; ++i) variance += (x[i] - mean_x) * (x[i] - mean_x) / n;
    for (std::size_t i = row; i < row + inner; ++i)
      dx[i] = (g[i] - mean_g - y[i] * mean_gy) / std::sqrt(variance + eps);
  }
  return dx;
}

double tolerance_of(Dtype dtype) { return dtype == float64 ? 1e-13 : 1e-5; }

}  // namespace

TEST_CASE("LayerNorm normalises the last dimensions, and scales element by element") {
  for (const Dtype dtype : {float32, float64}) {
    for (const Shape& shape : {Shape{4}, Shape{3, 4}, Shape{2, 3, 4}}) {
      nn::LayerNorm norm{{.normalized_shape = shape, .eps = 1e-3}};
      norm.to(dtype);
      fill_with_ramps(norm);
      const Tensor x = ramp({2, 3, 4}, dtype);
      const Tensor y = norm(x);
      CHECK(y.shape() == x.shape());
      CHECK(y.dtype() == dtype);
      const auto inner = static_cast<std::size_t>(shape.numel());
      const Numbers w = elements(norm.weight), b = elements(norm.bias);
      Numbers want = standardized(elements(x), inner, 1e-3);
      for (std::size_t i = 0; i < want.size(); ++i) want[i] = want[i] * w[i % inner] + b[i % inner];
      check_numbers(elements(y), want, tolerance_of(dtype), 1);
      CHECK(elements(nn::layer_norm(x, shape, {.weight = norm.weight, .bias = norm.bias, .eps = 1e-3})) ==
            elements(y));
    }
  }
}

TEST_CASE("GroupNorm normalises groups of channels, and scales channel by channel") {
  for (const Dtype dtype : {float32, float64}) {
    for (const std::int64_t groups : {1, 2, 4}) {
      nn::GroupNorm norm{{.num_groups = groups, .num_channels = 4}};
      norm.to(dtype);
      fill_with_ramps(norm);
      const Tensor x = ramp({3, 4, 2, 3}, dtype);
      const auto inner = static_cast<std::size_t>(24 / groups);
      Numbers want = standardized(elements(x), inner, 1e-5);
      const Numbers w = elements(norm.weight), b = elements(norm.bias);
      for (std::size_t i = 0; i < want.size(); ++i) want[i] = want[i] * w[i / 6 % 4] + b[i / 6 % 4];
      check_numbers(elements(norm(x)), want, tolerance_of(dtype), 1);
      CHECK(elements(nn::group_norm(x, groups, {.weight = norm.weight, .bias = norm.bias})) ==
            elements(norm(x)));
    }
    // Without images behind the channels.
    check_numbers(elements(nn::group_norm(ramp({2, 4}, dtype), 2)),
                  standardized(elements(ramp({2, 4}, dtype)), 2, 1e-5), tolerance_of(dtype), 1);
  }
}

TEST_CASE("gradients of the input, the weight and the bias, against the hand") {
  const Numbers g = elements(ramp({3, 8}, float64));
  for (const Dtype dtype : {float32, float64}) {
    const Tensor x = ramp({2, 3, 4}, dtype).set_requires_grad();
    nn::LayerNorm norm{{.normalized_shape = {3, 4}}};
    norm.to(dtype);
    norm(x).backward({.gradient = shaped(g, {2, 3, 4}, dtype)});
    check_numbers(elements(x.grad()), standardized_gradient(elements(x), g, 12, 1e-5), tolerance_of(dtype),
                  1);
    const Numbers y = standardized(elements(x), 12, 1e-5);
    Numbers dw(12, 0), db(12, 0);
    for (std::size_t i = 0; i < 24; ++i) {
      dw[i % 12] += g[i] * y[i];
      db[i % 12] += g[i];
    }
    check_numbers(elements(norm.weight.grad()), dw, tolerance_of(dtype), 1);
    check_numbers(elements(norm.bias.grad()), db, tolerance_of(dtype), 1);
  }
}

TEST_CASE("a mean far from 0 costs no digits that it has") {
  // 4096 + k is exact in float32, and so are its deviations.
  const Tensor x = reshape(4096 + arange(8).to(float32), Shape{1, 8});
  check_numbers(elements(nn::layer_norm(x, {8})), standardized(elements(x), 8, 1e-5), 1e-6);
}

TEST_CASE("norms keep the rules of modules") {
  manual_seed(2);
  nn::LayerNorm layer{{.normalized_shape = {3, 4}}}, other_layer{{.normalized_shape = {3, 4}}};
  fill_with_ramps(layer);
  check_module(layer, other_layer, randn({2, 3, 4}));
  nn::GroupNorm group{{.num_groups = 2, .num_channels = 4}}, other{{.num_groups = 2, .num_channels = 4}};
  fill_with_ramps(group);
  check_module(group, other, randn({2, 4, 3}));
  CHECK(layer.summary(zeros({2, 3, 4})) ==
        "module   type       output     parameters\n"
        "(model)  LayerNorm  [2, 3, 4]          24\n"
        "total: 24 parameters, 24 learning, 96 bytes\n");
  CHECK(group.summary(zeros({2, 4, 3})) ==
        "module   type       output     parameters\n"
        "(model)  GroupNorm  [2, 4, 3]           8\n"
        "total: 8 parameters, 8 learning, 32 bytes\n");
}

TEST_CASE("norms start as ones and zeros, in the default dtype, or without either") {
  const DefaultDtype in_double(float64);
  const nn::LayerNorm layer{{.normalized_shape = {3}}};
  CHECK(elements(layer.weight) == Numbers{1, 1, 1});
  CHECK(elements(layer.bias) == Numbers{0, 0, 0});
  CHECK(layer.weight.dtype() == float64);
  const nn::GroupNorm group{{.num_groups = 1, .num_channels = 2}};
  CHECK(elements(group.weight) == Numbers{1, 1});
  CHECK(elements(group.bias) == Numbers{0, 0});
  const nn::LayerNorm scale{{.normalized_shape = {3}, .bias = false}};
  CHECK(scale.state_dict().size() == 1);
  nn::LayerNorm bare{{.normalized_shape = {3}, .affine = false}};
  CHECK(bare.state_dict().empty());
  CHECK(elements(bare(ramp({2, 3}, float32))) == elements(nn::layer_norm(ramp({2, 3}), {3})));
  nn::GroupNorm plain{{.num_groups = 2, .num_channels = 4, .affine = false}};
  CHECK(plain.state_dict().empty());
  CHECK(elements(plain(ramp({2, 4, 2}))) == elements(nn::group_norm(ramp({2, 4, 2}), 2)));
}

TEST_CASE("norms of batches of one and zero, of constant rows, and of single values") {
  nn::LayerNorm layer{{.normalized_shape = {3}}};
  nn::GroupNorm group{{.num_groups = 2, .num_channels = 4}};
  CHECK(layer(zeros({0, 3})).shape() == Shape{0, 3});
  CHECK(group(zeros({0, 4, 2})).shape() == Shape{0, 4, 2});
  CHECK(group(zeros({2, 4, 0})).shape() == Shape{2, 4, 0});
  sum(layer(zeros({0, 3}))).backward();
  CHECK(elements(layer.weight.grad()) == Numbers{0, 0, 0});
  CHECK(elements(layer(full({1, 3}, 7))) == Numbers{0, 0, 0});
  CHECK(elements(layer(full({3}, 7))) == Numbers{0, 0, 0});
  nn::LayerNorm single{{.normalized_shape = {1}}};
  single.bias.set_value(tensor({5}));
  const Tensor x = tensor({{3}, {-8}}, {.requires_grad = true});
  CHECK(elements(single(x)) == Numbers{5, 5});
  sum(single(x)).backward();
  CHECK(elements(x.grad()) == Numbers{0, 0});
  CHECK(std::isnan(single(tensor({std::numeric_limits<double>::infinity()})).item()));
  // Two values of a group are 1 and -1, but for eps.
  check_numbers(elements(group(tensor({{1, 3, 5, 5}}))), {-1, 1, 0, 0}, 1e-4);
}

TEST_CASE("norms say what does not fit") {
  CHECK(message_of<ValueError>([] { return nn::LayerNorm({}).weight.shape(); }) ==
        "LayerNorm: normalized_shape is required, and was not given");
  CHECK(message_of<ValueError>([] { return nn::LayerNorm({.normalized_shape = {0}}).weight.shape(); }) ==
        "LayerNorm: normalized_shape must be at least 1: got 0");
  CHECK(message_of<ValueError>([] {
          return nn::LayerNorm({.normalized_shape = {2}, .eps = -1}).weight.shape();
        }) == "LayerNorm: eps must be finite and at least 0: got -1");
  CHECK(message_of<ValueError>([] { return nn::GroupNorm({.num_groups = 2}).weight.shape(); }) ==
        "GroupNorm: num_channels is required, and was not given");
  CHECK(message_of<ValueError>([] {
          return nn::GroupNorm({.num_groups = 3, .num_channels = 4}).weight.shape();
        }) == "GroupNorm: num_groups must divide num_channels: got 3 groups for 4 channels");
  struct Model : nn::Module {
    nn::LayerNorm layer{{.normalized_shape = {2, 3}}};
    nn::GroupNorm group{{.num_groups = 2, .num_channels = 4}};
    bool grouped = false;
    void members(nn::Members& m) override {
      m("layer", layer);
      m("group", group);
    }
    Tensor forward(const Tensor& x) override { return grouped ? group(x) : layer(x); }
  };
  Model model;
  CHECK(message_of<ShapeError>([&] {
          return model(zeros({2, 3, 2}));
        }) == "LayerNorm (layer): the last dimensions of the input must be [2, 3]: input is [2, 3, 2]");
  CHECK(message_of<DtypeError>([&] {
          return model(zeros({2, 3}, {.dtype = float64}));
        }) ==
        "LayerNorm (layer): input is float64, weight is float32; convert the input or the model with to()");
  model.grouped = true;
  CHECK(message_of<ShapeError>([&] {
          return model(zeros({2, 3, 2}));
        }) == "GroupNorm (group): input must be [n, 4, ...]: got [2, 3, 2]");
  CHECK(message_of<DtypeError>([&] {
          return model(zeros({2, 4}, {.dtype = int64}));
        }) == "GroupNorm (group): input must be float32 or float64: got int64");
  const Tensor x = zeros({2, 4});
  CHECK(message_of<ShapeError>([&] { return nn::layer_norm(x, {4}, {.bias = ones({2})}); }) ==
        "layer_norm: bias must be [4]: got [2]");
  CHECK(message_of<ValueError>([&] { return nn::layer_norm(x, {4}, {.eps = -1}); }) ==
        "layer_norm: eps must be finite and at least 0: got -1");
  CHECK(message_of<ValueError>([&] { return nn::group_norm(x, 3); }) ==
        "group_norm: groups must divide the channels: got 3 groups, input is [2, 4]");
  CHECK(message_of<ValueError>([&] { return nn::group_norm(x, 0); }) ==
        "group_norm: groups must be at least 1: got 0");
  CHECK(message_of<ShapeError>([&] { return nn::group_norm(zeros({4}), 2); }) ==
        "group_norm: input must be [n, c, ...]: got [4]");
  CHECK(message_of<ValueError>([&] { return nn::layer_norm(Tensor(), {4}); }) ==
        "layer_norm: input: the handle is empty");
}
