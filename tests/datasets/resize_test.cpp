#include "xtgrad/datasets/resize.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tests/datasets/image_transforms.h"
#include "tests/support/message_of.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/datasets/loader.h"

using namespace xtgrad;
using namespace xtgrad::testing;
using datasets::random_resized_crop;
using datasets::resize;

namespace {

void check_close(const Tensor& got, const std::vector<double>& expected, double epsilon) {
  const std::vector<double> values = numbers_of(got);
  REQUIRE(values.size() == expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    CAPTURE(i);
    CHECK(values[i] == doctest::Approx(expected[i]).epsilon(epsilon));
  }
}

/// One row, resized to `to` pixels.
Tensor row(const std::vector<double>& pixels, std::int64_t to, bool antialias, Dtype dtype) {
  const auto n = static_cast<std::int64_t>(pixels.size());
  return after(resize({.size = Size2d(1, to), .antialias = antialias}),
               from_span(pixels, {1, 1, n}).to(dtype));
}

}  // namespace

TEST_CASE("resize: pixels lie at halves, as PyTorch's interpolate has them") {
  for (const Dtype dtype : {float32, float64}) {
    const double epsilon = dtype == float32 ? 1e-6 : 1e-14;
    for (const bool antialias : {true, false}) {
      check_close(row({0, 1}, 4, antialias, dtype), {0, 0.25, 0.75, 1}, epsilon);
      check_close(row({3, 6, 12}, 6, antialias, dtype), {3, 3.75, 5.25, 7.5, 10.5, 12}, epsilon);
      check_close(row({5}, 3, antialias, dtype), {5, 5, 5}, epsilon);
    }
    check_close(row({0, 1, 2, 3}, 2, false, dtype), {0.5, 2.5}, epsilon);
    check_close(row({0, 1, 2, 3, 4}, 3, false, dtype), {1.0 / 3, 2, 11.0 / 3}, epsilon);
    check_close(row({0, 9, 0, 0, 9, 0}, 2, false, dtype), {9, 9}, epsilon);
    // Weights 3/4, 3/4, 1/4 and their mirror image, over 7/4.
    check_close(row({0, 1, 2, 3}, 2, true, dtype), {5.0 / 7, 16.0 / 7}, epsilon);
    // Half-width 3, the middle at 1.5: 2/3, 1, 2/3, 1/3 over 8/3.
    check_close(row({0, 9, 0, 0, 9, 0}, 2, true, dtype), {9 * 3.0 / 8, 9 * 3.0 / 8}, epsilon);
  }
}

TEST_CASE("resize: rows, columns and channels are each their own") {
  const Tensor image = tensor({{{0, 1}, {2, 3}}, {{10, 11}, {12, 13}}}, {.dtype = float64});
  const Tensor large = after(resize({.size = {4, 3}}), image);
  CHECK(large.shape() == Shape{2, 4, 3});
  const std::vector<double> at = {0, 0.25, 0.75, 1};
  const std::vector<double> across = {0, 0.5, 1};
  for (std::int64_t c = 0; c < 2; ++c) {
    for (std::int64_t i = 0; i < 4; ++i) {
      for (std::int64_t j = 0; j < 3; ++j) {
        CHECK(large.at({c, i, j}) ==
              doctest::Approx(10.0 * static_cast<double>(c) + 2 * at[static_cast<std::size_t>(i)] +
                              across[static_cast<std::size_t>(j)]));
      }
    }
  }
  Random random(3);
  const Tensor noise = randn({3, 5, 7}, random);
  CHECK(numbers_of(after(resize({.size = {5, 7}}), noise)) == numbers_of(noise));
}

TEST_CASE("resize: bytes are rounded to the nearest") {
  const Tensor bytes = tensor({{{0, 255}}}, {.dtype = uint8});
  CHECK(numbers_of(after(resize({.size = {1, 4}}), bytes)) == std::vector<double>{0, 64, 191, 255});
  CHECK(
      after(resize({.size = {2, 2}}), full({3, 9, 9}, 255, {.dtype = uint8})).to(int64).at_int64({2, 1, 1}) ==
      255);
}

TEST_CASE("resize: the middle with the result's proportions") {
  const Tensor wide = reshape(arange(24), {1, 4, 6}).to(float64);
  const Tensor middle = slice(wide, {.axis = 2, .start = 1, .stop = 5});
  CHECK(numbers_of(after(resize({.size = 2, .crop = true}), wide)) ==
        numbers_of(after(resize({.size = 2}), middle)));
  const Tensor tall = reshape(arange(24), {1, 6, 4}).to(float64);
  const Tensor band = slice(tall, {.axis = 1, .start = 2, .stop = 4});
  CHECK(numbers_of(after(resize({.size = {1, 2}, .crop = true}), tall)) ==
        numbers_of(after(resize({.size = {1, 2}}), band)));
  CHECK(after(resize({.size = {1, 100}, .crop = true}), zeros({1, 5, 1})).shape() == Shape{1, 1, 100});
}

TEST_CASE("resize: what it refuses") {
  CHECK_THROWS_WITH_AS(static_cast<void>(resize({.size = {3, 0}})),
                       "resize: size must be at least 1x1: got 3x0", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(resize({.size = 2}).output_shape({4, 4})),
                       "resize: needs samples [c, h, w]: a sample is [4, 4]; reshape the data set's inputs",
                       ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(resize({.size = 2}).output_shape({1, 0, 4})),
                       "resize: an image must have pixels: a sample is [1, 0, 4]", ShapeError);
  CHECK(after(resize({.size = 2}), zeros({0, 3, 3})).shape() == Shape{0, 2, 2});
  const Tensor integers = reshape(arange(4), {1, 2, 2});
  CHECK(message_of<DtypeError>([&] { return after(resize({.size = 2}), integers); }) ==
        "resize: samples must be float32, float64 or uint8: got int64");
}

TEST_CASE("random_resized_crop: the window is the one that its draws say") {
  const datasets::RandomResizedCropOptions options{.size = {4, 5}, .scale = {0.2, 0.9}, .ratio = {0.5, 3}};
  Random pixels(1);
  const Tensor image = randn({2, 12, 9}, pixels, {.dtype = float64});
  int fits_at_once = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed);
    std::int64_t height = 0;
    std::int64_t width = 0;
    int attempts = 0;
    do {
      const double area = 108 * (0.2 + 0.7 * random.next_uniform());
      const double ratio = std::exp(std::log(0.5) + (std::log(3.0) - std::log(0.5)) * random.next_uniform());
      height = std::lround(std::sqrt(area / ratio));
      width = std::lround(std::sqrt(area * ratio));
      ++attempts;
    } while (height > 12 || width > 9);
    REQUIRE(attempts <= 10);
    fits_at_once += attempts == 1 ? 1 : 0;
    const std::int64_t top = random.next_below(12 - height + 1);
    const std::int64_t left = random.next_below(9 - width + 1);
    const Tensor rows = slice(image, {.axis = 1, .start = top, .stop = top + height});
    const Tensor window = slice(rows, {.axis = 2, .start = left, .stop = left + width});
    CHECK(numbers_of(after(random_resized_crop(options), image, seed)) ==
          numbers_of(after(resize({.size = {4, 5}}), window)));
  }
  CHECK(fits_at_once > 50);
  CHECK(fits_at_once < 200);
}

TEST_CASE("random_resized_crop: where no window fits, the largest in the middle") {
  Random pixels(1);
  const Tensor wide = randn({1, 4, 40}, pixels);
  const auto whole = random_resized_crop({.size = 3, .scale = {1, 1}, .ratio = {0.5, 2}});
  const Tensor window = slice(wide, {.axis = 2, .start = 16, .stop = 24});
  CHECK(numbers_of(after(whole, wide, 5)) == numbers_of(after(resize({.size = 3}), window)));
  const Tensor tall = randn({1, 40, 4}, pixels);
  const Tensor band = slice(tall, {.axis = 1, .start = 16, .stop = 24});
  CHECK(numbers_of(after(whole, tall, 5)) == numbers_of(after(resize({.size = 3}), band)));
  // One pixel is an image, too.
  CHECK(numbers_of(after(random_resized_crop({.size = 2}), full({1, 1, 1}, 7), 1)) ==
        std::vector<double>{7, 7, 7, 7});
}

TEST_CASE("random_resized_crop: what it refuses") {
  const auto refused = [](const datasets::RandomResizedCropOptions& options) {
    return message_of<ValueError>([&] { return static_cast<bool>(random_resized_crop(options)); });
  };
  CHECK(refused({}) == "random_resized_crop: size must be at least 1x1: got 0x0");
  CHECK(refused({.size = 2, .scale = {0.5, 0.2}}) ==
        "random_resized_crop: scale must be finite, positive, and not fall: got 0.5 to 0.2");
  CHECK(refused({.size = 2, .scale = {0.5, 1.5}}) == "random_resized_crop: scale must be at most 1: got 1.5");
  CHECK(refused({.size = 2, .ratio = {0, 1}}) ==
        "random_resized_crop: ratio must be finite, positive, and not fall: got 0 to 1");
  CHECK_THROWS_AS(static_cast<void>(random_resized_crop({.size = 2}).output_shape({3, 4, 0})), ShapeError);
}
