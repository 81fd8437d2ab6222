// Upsample, PixelShuffle and PixelUnshuffle, against what PyTorch 2 computes of the same numbers.
#include "xtgrad/nn/upsample.h"

#include <doctest/doctest.h>

#include "tests/nn/module_checks.h"
#include "tests/support/message_of.h"

using namespace xtgrad;
using namespace nn_test;
using xtgrad::testing::message_of;

TEST_CASE("Upsample and PixelShuffle have PyTorch's values") {
  for (const Dtype dtype : {float32, float64}) {
    const Tensor x = ramp({1, 1, 2, 3}, dtype);
    nn::Upsample twice{{.scale = {2}, .mode = Interpolation::bilinear}};
    CHECK(elements(twice(x)) == Numbers{-1.375,   -0.9375,    -0.0625,    0.09375,  -0.46875, -0.75,
                                        -0.78125, -0.5234375, -0.0078125, -0.03125, -0.59375, -0.875,
                                        0.40625,  0.3046875,  0.1015625,  -0.28125, -0.84375, -1.125,
                                        1,        0.71875,    0.15625,    -0.40625, -0.96875, -1.25});
    nn::Upsample smooth{{.size = {3, 4}, .mode = Interpolation::bicubic}};
    check_numbers(elements(smooth(x)),
                  {-1.7246867285834417, -0.17854775322808153, 0.23268614874945734, -0.7873467339409724,
                   -0.20993041992187522, 0.135986328125, -0.246063232421875, -1.08074951171875,
                   1.3048258887396926, 0.4505204094780818, -0.7248126135932077, -1.374152289496528},
                  dtype == float64 ? 1e-13 : 1e-5);
    nn::Upsample nearest{{.size = {3, 4}}};
    CHECK(elements(nearest(x)) ==
          Numbers{-1.375, -1.375, 0.375, -0.75, -1.375, -1.375, 0.375, -0.75, 1, 1, -0.125, -1.25});
    const Tensor channels = ramp({1, 4, 1, 2}, dtype);
    nn::PixelShuffle shuffle{{.factor = 2}};
    CHECK(elements(shuffle(channels)) == Numbers{-1.375, -0.75, 0.375, 1, -0.125, 0.5, -1.25, -0.625});
    nn::PixelUnshuffle back{{.factor = 2}};
    CHECK(elements(back(shuffle(channels))) == elements(channels));
    CHECK(back(shuffle(channels)).shape() == channels.shape());
  }
}

TEST_CASE("Upsample and PixelShuffle keep the rules of modules, and take an empty batch") {
  manual_seed(2);
  const InterpolateOptions options{.size = {3, 2}, .mode = Interpolation::bilinear};
  nn::Upsample up(options), other_up(options);
  check_module(up, other_up, randn({1, 2, 2, 3}));
  nn::PixelShuffle shuffle{{.factor = 2}}, other_shuffle{{.factor = 2}};
  check_module(shuffle, other_shuffle, randn({1, 4, 1, 2}));
  CHECK(up(zeros({0, 2, 5, 5})).shape() == Shape{0, 2, 3, 2});
  CHECK(shuffle(zeros({0, 4, 5, 5})).shape() == Shape{0, 1, 10, 10});
  CHECK(up.options().size[0] == 3);
}

TEST_CASE("what Upsample and PixelShuffle refuse, and what they say") {
  CHECK(message_of<ValueError>([] { return nn::Upsample(InterpolateOptions{}).options().align_corners; }) ==
        "Upsample: needs a size or a scale, and not both");
  CHECK(message_of<ValueError>([] { return nn::PixelShuffle({}).options().factor; }) ==
        "PixelShuffle: factor is required, and was not given");
  CHECK(message_of<ValueError>([] { return nn::PixelUnshuffle({.factor = 0}).options().factor; }) ==
        "PixelUnshuffle: factor must be at least 1: got 0");
  nn::Sequential model{nn::Upsample{{.scale = {2}}}, nn::PixelShuffle{{.factor = 2}}};
  CHECK(message_of<ShapeError>([&] {
          return model(zeros({3, 5}));
        }) ==
        "0 (Upsample): interpolate: x needs 3 to 5 dimensions [n, c, l], [n, c, h, w] or [n, c, d, h, w]: x "
        "is [3, 5]");
  CHECK(message_of<ShapeError>([&] {
          return model(zeros({1, 3, 2, 2}));
        }) ==
        "1 (PixelShuffle): pixel_shuffle: the factor's square must divide the channels: x is [1, 3, 4, 4], "
        "factor 2");
}
