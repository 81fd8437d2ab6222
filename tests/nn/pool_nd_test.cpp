// Pooling of signals and volumes, against what PyTorch 2 computes of the same numbers.
#include "xtgrad/nn/pool_nd.h"

#include <doctest/doctest.h>

#include "tests/nn/module_checks.h"
#include "tests/support/message_of.h"

using namespace xtgrad;
using namespace nn_test;
using xtgrad::testing::message_of;

TEST_CASE("pooling of signals and volumes has PyTorch's values") {
  for (const Dtype dtype : {float32, float64}) {
    const double tolerance = dtype == float64 ? 1e-14 : 1e-6;
    const Tensor signal = ramp({1, 2, 7}, dtype), volume = ramp({1, 1, 3, 2, 4}, dtype);
    nn::MaxPool1d most{{.kernel = 3, .stride = 2, .padding = 1}};
    CHECK(elements(most(signal)) == Numbers{0.375, 1, 1, 0.5, 1.125, 1.125, 0.625, 1.25});
    nn::MaxPool1d dilated{{.kernel = 2, .stride = 1, .dilation = 3, .ceil_mode = true}};
    CHECK(elements(dilated(signal)) == Numbers{1, 0.375, -0.75, 1, -0.625, 1.125, 0, 1.25});
    nn::AvgPool1d mean{{.kernel = 2, .padding = 1}};
    CHECK(elements(mean(signal)) == Numbers{-0.6875, -0.1875, 0.4375, -0.375, -0.3125, 0.5625, -0.25, 0.375});
    nn::LPPool1d power{{.kernel = 3}};
    check_numbers(elements(power(signal)),
                  {1.6105123408406408, 1.6056540723331412, 1.286953767623375, 1.3806701271484076}, tolerance);
    nn::LPPool2d lengths{{.kernel = 2}};
    check_numbers(elements(lengths(ramp({1, 1, 4, 4}, dtype))),
                  {1.899835519196333, 1.4842927608797396, 1.7544586059522749, 1.6345871038277526}, tolerance);
    nn::MaxPool3d deep{{.kernel = {2, 1, 2}, .stride = Size3d(1, 1, 2), .padding = {1, 0, 0}}};
    CHECK(deep(volume).shape() == Shape{1, 1, 4, 2, 2});
    CHECK(elements(deep(volume)) == Numbers{0.375, 1, -0.125, 0.5, 1.125, 1, 1.25, 0.5, 1.125, 1.375, 1.25,
                                            0.125, 0.75, 1.375, 0.875, -0.25});
    nn::AvgPool3d inside{{.kernel = 2, .stride = 1, .padding = {1, 0, 0}, .count_include_pad = false}};
    CHECK(elements(inside(volume)) == Numbers{-0.59375, -0.28125, 0.03125, -0.0625, -0.109375, -0.15625,
                                              0.28125, 0.234375, -0.171875, 0.09375, 0.40625, 0});
    nn::AvgPool3d quarter{{.kernel = 2, .divisor_override = 4}};
    CHECK(elements(quarter(volume)) == Numbers{-0.125, -0.3125});
    CHECK(quarter(volume).dtype() == dtype);
  }
}

TEST_CASE("pooling of signals and volumes keeps the rules of modules, and takes an empty batch") {
  manual_seed(3);
  nn::LPPool1d power{{.p = 3, .kernel = 2}}, other_power{{.p = 3, .kernel = 2}};
  check_module(power, other_power, uniform({1, 2, 4}, {.low = 0.5, .high = 2}));
  nn::MaxPool3d most{{.kernel = 2}}, other_most{{.kernel = 2}};
  check_module(most, other_most, randn({1, 1, 2, 2, 4}));
  CHECK(most(zeros({0, 3, 4, 4, 4})).shape() == Shape{0, 3, 2, 2, 2});
  nn::AvgPool1d mean{{.kernel = 2}};
  CHECK(mean(zeros({0, 3, 5})).shape() == Shape{0, 3, 2});
  CHECK(mean.options().kernel == 2);
  CHECK(mean.state_dict().empty());
}

TEST_CASE("what pooling of signals and volumes refuses, and what it says") {
  CHECK(message_of<ValueError>([] { return nn::MaxPool1d({}).options().kernel; }) ==
        "MaxPool1d: kernel is required, and was not given");
  CHECK(message_of<ValueError>([] {
          return nn::AvgPool3d({.kernel = {1, 0, 2}}).options().padding;
        }) == "AvgPool3d: kernel must be at least 1: got 1x0x2");
  CHECK(message_of<ValueError>([] {
          return nn::MaxPool3d({.kernel = 2, .padding = {0, 2, 0}}).options().padding;
        }) ==
        "MaxPool3d: padding must be at most half the window: padding 0x2x0, kernel 2x2x2, dilation 1x1x1");
  CHECK(message_of<ValueError>([] { return nn::AvgPool1d({.kernel = 2, .stride = 0}).options().padding; }) ==
        "AvgPool1d: stride must be at least 1: got 0");
  CHECK(message_of<ValueError>([] {
          return nn::AvgPool3d({.kernel = 2, .divisor_override = 0}).options().padding;
        }) == "AvgPool3d: divisor_override must be at least 1, got 0");
  CHECK(message_of<ValueError>([] { return nn::LPPool2d({.p = -1, .kernel = 2}).options().p; }) ==
        "LPPool2d: p must be above 0 and finite, got -1");
  nn::MaxPool1d pool{{.kernel = 2}};
  CHECK(message_of<ShapeError>([&] {
          return pool(zeros({3, 4}));
        }) == "MaxPool1d: input must be [n, c, l]: got [3, 4]");
  CHECK(message_of<ShapeError>([&] {
          return pool(zeros({1, 1, 1}));
        }) ==
        "MaxPool1d: max_pool1d: the window does not fit: x is [1, 1, 1], kernel 2, dilation 1, padding 0");
}
