// AdaptiveAvgPool2d against loops over the windows of its definition, and its kin against what PyTorch 2
// computes.
#include "xtgrad/nn/adaptive_pool.h"

#include <doctest/doctest.h>

#include <limits>

#include "tests/nn/module_checks.h"
#include "tests/support/message_of.h"
#include "xtgrad/nn/pool.h"

using namespace xtgrad;
using namespace nn_test;
using xtgrad::testing::message_of;

namespace {

struct Range {
  std::int64_t from, to;
};
Range window(std::int64_t i, std::int64_t size, std::int64_t count) {
  const double share = static_cast<double>(size) / static_cast<double>(count);
  return {static_cast<std::int64_t>(std::floor(static_cast<double>(i) * share + 1e-9)),
          static_cast<std::int64_t>(std::ceil(static_cast<double>(i + 1) * share - 1e-9))};
}

Numbers pooled(const Tensor& x, const Size2d& output) {
  Numbers means;
  for (std::int64_t n = 0; n < x.size(0); ++n) {
    for (std::int64_t c = 0; c < x.size(1); ++c) {
      for (std::int64_t i = 0; i < output.height; ++i) {
        for (std::int64_t j = 0; j < output.width; ++j) {
          const Range rows = window(i, x.size(2), output.height),
                      columns = window(j, x.size(3), output.width);
          double total = 0;
          for (std::int64_t u = rows.from; u < rows.to; ++u) {
            for (std::int64_t v = columns.from; v < columns.to; ++v) total += x.at({n, c, u, v});
          }
          means.push_back(total / static_cast<double>((rows.to - rows.from) * (columns.to - columns.from)));
        }
      }
    }
  }
  return means;
}

}  // namespace

TEST_CASE("AdaptiveAvgPool2d shares an image of any size evenly") {
  for (const Dtype dtype : {float32, float64}) {
    const Tensor x = ramp({2, 3, 7, 5}, dtype);
    for (const Size2d& output : {Size2d(1), Size2d(7, 5), Size2d(7, 1), Size2d(2, 3), Size2d(3, 5),
                                 Size2d(4, 2), Size2d(9, 6), Size2d(14, 10)}) {
      CAPTURE(to_string(output));
      nn::AdaptiveAvgPool2d pool{{.output = output}};
      const Tensor y = pool(x);
      CHECK(y.shape() == Shape{2, 3, output.height, output.width});
      CHECK(y.dtype() == dtype);
      check_numbers(elements(y), pooled(x, output), dtype == float64 ? 1e-14 : 1e-6, 1);
      CHECK(elements(nn::adaptive_avg_pool2d(x, {.output = output})) == elements(y));
    }
  }
}

TEST_CASE("an infinite pixel spoils its own windows alone, and a gradient is shared by the window") {
  Numbers image(35, 1);
  image[0] = std::numeric_limits<double>::infinity();
  const Tensor y = nn::adaptive_avg_pool2d(shaped(image, {1, 1, 7, 5}), {.output = {2, 3}});
  const double inf = std::numeric_limits<double>::infinity();
  check_numbers(elements(y), {inf, 1, 1, 1, 1, 1}, 1e-14);
  // 3 elements in 2 windows: [0, 2) and [1, 3), so the middle one is in both.
  const Tensor x = shaped({1, 2, 4}, {1, 1, 1, 3}).set_requires_grad();
  const Tensor pair = nn::adaptive_avg_pool2d(x, {.output = {1, 2}});
  CHECK(elements(pair) == Numbers{1.5, 3});
  pair.backward({.gradient = shaped({10, 100}, {1, 1, 1, 2})});
  CHECK(elements(x.grad()) == Numbers{5, 55, 50});
}

TEST_CASE("AdaptiveAvgPool2d keeps the rules of modules, takes batches of zero, and says what does not fit") {
  manual_seed(6);
  for (const Size2d& output : {Size2d(1), Size2d(2, 3)}) {
    nn::AdaptiveAvgPool2d pool{{.output = output}}, other{{.output = output}};
    check_module(pool, other, randn({1, 2, 5, 4}));
    CHECK(pool(zeros({0, 3, 5, 4})).shape() == Shape{0, 3, output.height, output.width});
    CHECK(pool.options().output == output);
  }
  CHECK(nn::AdaptiveAvgPool2d({.output = 1}).summary(zeros({2, 3, 5, 5})) ==
        "module   type               output        parameters\n"
        "(model)  AdaptiveAvgPool2d  [2, 3, 1, 1]           0\n"
        "total: 0 parameters, 0 learning, 0 bytes\n");
  CHECK(message_of<ValueError>([] { return nn::AdaptiveAvgPool2d({}).options().output; }) ==
        "AdaptiveAvgPool2d: output is required, and was not given");
  CHECK(message_of<ValueError>([] {
          return nn::AdaptiveAvgPool2d({.output = {2, -1}}).options().output;
        }) == "AdaptiveAvgPool2d: output must be at least 1: got 2x-1");
  nn::Sequential model{nn::AdaptiveAvgPool2d{{.output = 2}}, nn::Flatten{}};
  CHECK(message_of<ShapeError>([&] {
          return model(zeros({3, 5, 5}));
        }) == "AdaptiveAvgPool2d (0): input must be [n, c, h, w]: got [3, 5, 5]");
  CHECK(message_of<ShapeError>([&] {
          return model(zeros({1, 3, 0, 5}));
        }) == "AdaptiveAvgPool2d (0): the image has no elements: input is [1, 3, 0, 5], output 2x2");
  CHECK(message_of<ShapeError>([&] {
          return nn::adaptive_avg_pool2d(zeros({5, 5}), {.output = 1});
        }) == "adaptive_avg_pool2d: input must be [n, c, h, w]: got [5, 5]");
}

TEST_CASE("adaptive pooling in other dimensions has PyTorch's values") {
  for (const Dtype dtype : {float32, float64}) {
    const double tolerance = dtype == float64 ? 1e-14 : 1e-6;
    const Tensor signal = ramp({1, 1, 5}, dtype), volume = ramp({1, 1, 3, 2, 3}, dtype);
    nn::AdaptiveAvgPool1d mean{{.output = 2}};
    check_numbers(elements(mean(signal)), {-0.5833333333333334, 0.041666666666666664}, tolerance, 1);
    nn::AdaptiveMaxPool1d most{{.output = 3}};
    CHECK(elements(most(signal)) == Numbers{0.375, 1, 1});
    nn::AdaptiveMaxPool2d of_image{{.output = {2, 3}}};
    CHECK(elements(of_image(ramp({1, 1, 3, 5}, dtype))) == Numbers{0.5, 1.125, 1.125, 0.625, 1.25, 1.25});
    nn::AdaptiveAvgPool3d of_volume{{.output = {2, 1, 2}}};
    CHECK(of_volume(volume).shape() == Shape{1, 1, 2, 1, 2});
    check_numbers(elements(of_volume(volume)), {-0.171875, -0.21875, -0.09375, 0.21875}, tolerance, 1);
    nn::AdaptiveMaxPool3d most_of_volume{{.output = {2, 1, 2}}};
    CHECK(elements(most_of_volume(volume)) == Numbers{1, 1.125, 1.25, 1.25});
  }
}

TEST_CASE("adaptive pooling in other dimensions keeps the rules of modules, and says what does not fit") {
  manual_seed(8);
  nn::AdaptiveMaxPool2d most{{.output = {2, 1}}}, other{{.output = {2, 1}}};
  check_module(most, other, randn({1, 2, 3, 2}));
  CHECK(most(zeros({0, 2, 3, 2})).shape() == Shape{0, 2, 2, 1});
  CHECK(message_of<ValueError>([] { return nn::AdaptiveAvgPool1d({}).options().output; }) ==
        "AdaptiveAvgPool1d: output is required, and was not given");
  CHECK(message_of<ValueError>([] {
          return nn::AdaptiveMaxPool3d({.output = {1, -1, 1}}).options().output.depth;
        }) == "AdaptiveMaxPool3d: output must be at least 1: got 1x-1x1");
  CHECK(message_of<ShapeError>([&] {
          return most(zeros({3, 4}));
        }) == "AdaptiveMaxPool2d: input must be [n, c, h, w]: got [3, 4]");
  CHECK(message_of<ShapeError>([&] {
          return most(zeros({1, 1, 0, 4}));
        }) == "AdaptiveMaxPool2d: a side has no elements: input is [1, 1, 0, 4], output 2x1");
}
