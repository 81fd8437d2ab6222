#include "xtgrad/nn/pool.h"

#include <doctest/doctest.h>

#include "tests/nn/support.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"

using namespace xtgrad;
using nn_test::elements;

namespace {

/// [1, 1, 4, 4]
Tensor image(Dtype dtype) {
  return tensor({{{{1, 2, 5, 3}, {4, 0, -1, 7}, {-8, -2, 6, 6}, {-4, -6, 6, 2}}}}, {.dtype = dtype});
}

}  // namespace

TEST_CASE("MaxPool2d takes the largest of each window, with the options of max_pool2d") {
  for (const Dtype dtype : {float32, float64}) {
    nn::MaxPool2d pool{{.kernel = 2}};
    const Tensor y = pool(image(dtype));
    CHECK(y.shape() == Shape{1, 1, 2, 2});
    CHECK(y.dtype() == dtype);
    CHECK(elements(y) == std::vector<double>{4, 7, -2, 6});
    nn::MaxPool2d overlapping{{.kernel = {3, 2}, .stride = 1}};
    CHECK(elements(overlapping(image(dtype))) == std::vector<double>{4, 6, 7, 4, 6, 7});
    nn::MaxPool2d padded{{.kernel = 2, .padding = 1}};
    CHECK(elements(padded(image(dtype))) == std::vector<double>{1, 5, 3, 4, 6, 7, -4, 6, 2});
    nn::MaxPool2d dilated{{.kernel = 2, .stride = 1, .dilation = 2}};
    CHECK(elements(dilated(image(dtype))) == std::vector<double>{6, 6, 6, 7});
    nn::MaxPool2d ceil{{.kernel = 3, .stride = 2, .ceil_mode = true}};
    CHECK(elements(ceil(image(dtype))) == std::vector<double>{6, 7, 6, 6});
  }
}

TEST_CASE("AvgPool2d takes the mean of each window, with the options of avg_pool2d") {
  for (const Dtype dtype : {float32, float64}) {
    nn::AvgPool2d pool{{.kernel = 2}};
    const Tensor y = pool(image(dtype));
    CHECK(y.dtype() == dtype);
    CHECK(elements(y) == std::vector<double>{1.75, 3.5, -5, 5});
    nn::AvgPool2d padded{{.kernel = 2, .padding = 1}};
    CHECK(elements(padded(image(dtype))) ==
          std::vector<double>{0.25, 1.75, 0.75, -1, 0.75, 3.25, -1, 0, 0.5});
    nn::AvgPool2d inside{{.kernel = 2, .padding = 1, .count_include_pad = false}};
    CHECK(elements(inside(image(dtype))) == std::vector<double>{1, 3.5, 3, -2, 0.75, 6.5, -4, 0, 2});
    nn::AvgPool2d total{{.kernel = {1, 4}, .divisor_override = 1}};
    CHECK(elements(total(image(dtype))) == std::vector<double>{11, 10, 2, -2});
  }
}

TEST_CASE("pooling has nothing to learn, and takes an empty batch") {
  nn::MaxPool2d most{{.kernel = 2}};
  nn::AvgPool2d average{{.kernel = {2, 1}, .stride = Size2d(1)}};
  CHECK(most.state_dict().empty());
  CHECK(average.state_dict().empty());
  CHECK(most(zeros({0, 3, 5, 4})).shape() == Shape{0, 3, 2, 2});
  CHECK(average(zeros({0, 3, 5, 4})).shape() == Shape{0, 3, 4, 4});
  CHECK(most.options().kernel == Size2d(2));
  CHECK(average.options().stride == Size2d(1));
}

TEST_CASE("what pooling refuses, and what it says") {
  const auto most = [](const MaxPool2dOptions& options) { nn::MaxPool2d pool(options); };
  const auto average = [](const AvgPool2dOptions& options) { nn::AvgPool2d pool(options); };
  CHECK_THROWS_WITH_AS(most({}), "MaxPool2d: kernel is required, and was not given", ValueError);
  CHECK_THROWS_WITH_AS(average({}), "AvgPool2d: kernel is required, and was not given", ValueError);
  CHECK_THROWS_WITH_AS(most({.kernel = {2, -1}}), "MaxPool2d: kernel must be at least 1: got 2x-1",
                       ValueError);
  CHECK_THROWS_WITH_AS(most({.kernel = 2, .stride = Size2d(0)}),
                       "MaxPool2d: stride must be at least 1: got 0x0", ValueError);
  CHECK_THROWS_WITH_AS(average({.kernel = 2, .padding = {0, -1}}),
                       "AvgPool2d: padding must be at least 0: got 0x-1", ValueError);
  CHECK_THROWS_WITH_AS(most({.kernel = 2, .dilation = 0}), "MaxPool2d: dilation must be at least 1: got 0x0",
                       ValueError);
  // What only shows in the options together is told at construction, too.
  CHECK_THROWS_WITH_AS(
      most({.kernel = 3, .padding = {1, 2}}),
      "MaxPool2d: padding must be at most half the window: padding 1x2, kernel 3x3, dilation 1x1",
      ValueError);
  CHECK_THROWS_WITH_AS(
      average({.kernel = 2, .padding = 2}),
      "AvgPool2d: padding must be at most half the window: padding 2x2, kernel 2x2, dilation 1x1",
      ValueError);
  nn::MaxPool2d dilated{{.kernel = 2, .padding = 2, .dilation = 3}};
  CHECK(dilated(zeros({1, 1, 1, 1})).shape() == Shape{1, 1, 1, 1});
  CHECK_THROWS_WITH_AS(average({.kernel = 2, .divisor_override = 0}),
                       "AvgPool2d: divisor_override must be at least 1, got 0", ValueError);
  CHECK_THROWS_WITH_AS(average({.kernel = 2, .stride = Size2d(1, std::int64_t{1} << 31)}),
                       "AvgPool2d: stride must be at most 2^31 - 1: got 1x2147483648", ValueError);
  CHECK_THROWS_WITH_AS(most({.kernel = {1 << 16, 1 << 15}}),
                       "MaxPool2d: the kernel must have at most 2^31 - 1 elements, got 65536x32768",
                       ValueError);
  nn::MaxPool2d pool{{.kernel = 2}};
  CHECK_THROWS_WITH_AS(static_cast<void>(pool(zeros({3, 4, 4}))),
                       "MaxPool2d: input must be [n, c, h, w]: got [3, 4, 4]", ShapeError);
  nn::AvgPool2d mean{{.kernel = 2}};
  CHECK_THROWS_WITH_AS(static_cast<void>(mean(zeros({4}))), "AvgPool2d: input must be [n, c, h, w]: got [4]",
                       ShapeError);
  CHECK_THROWS_AS(static_cast<void>(pool(zeros({1, 1, 1, 4}))), ShapeError);
}
