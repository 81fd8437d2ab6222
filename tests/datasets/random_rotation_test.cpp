#include "xtgrad/datasets/random_rotation.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <vector>

#include "tests/datasets/image_transforms.h"
#include "tests/support/message_of.h"
#include "xtgrad/autograd/errors.h"

using namespace xtgrad;
using namespace xtgrad::testing;
using datasets::random_rotation;

namespace {

Tensor rotated(const Tensor& image, double degrees, const std::vector<double>& fill = {0}) {
  return after(random_rotation({.degrees = {degrees, degrees}, .fill = fill}), image);
}

void check_close(const Tensor& got, const std::vector<double>& expected) {
  const std::vector<double> values = numbers_of(got);
  REQUIRE(values.size() == expected.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    CHECK(values[i] == doctest::Approx(expected[i]).epsilon(1e-6));
}

}  // namespace

TEST_CASE("random_rotation: quarter turns go counter-clockwise") {
  for (const Dtype dtype : {float32, float64, uint8}) {
    const Tensor image = tensor({{{1, 2, 3}, {4, 5, 6}, {7, 8, 9}}}, {.dtype = dtype});
    check_close(rotated(image, 90), {3, 6, 9, 2, 5, 8, 1, 4, 7});
    check_close(rotated(image, -90), {7, 4, 1, 8, 5, 2, 9, 6, 3});
    check_close(rotated(image, 180), {9, 8, 7, 6, 5, 4, 3, 2, 1});
    check_close(rotated(image, 360), {1, 2, 3, 4, 5, 6, 7, 8, 9});
  }
  // [2, 4] turned on its side is cut off, and its place is filled.
  const Tensor wide = tensor({{{1, 2, 3, 4}, {5, 6, 7, 8}}}, {.dtype = float64});
  check_close(rotated(wide, 90, {-1}), {-1, 3, 7, -1, -1, 2, 6, -1});
}

TEST_CASE("random_rotation: a plane stays a plane, seen from another side") {
  const std::int64_t size = 11;
  const double middle = 5;
  const auto plane = [](double y, double x) { return 3 + 2 * y - 5 * x; };
  std::vector<double> pixels;
  for (std::int64_t i = 0; i < size; ++i) {
    for (std::int64_t j = 0; j < size; ++j)
      pixels.push_back(plane(static_cast<double>(i), static_cast<double>(j)));
  }
  const Tensor image = from_span(pixels, {1, size, size});
  for (const double degrees : {-170.0, -30.0, 12.5, 45.0, 100.0}) {
    const Tensor turned = rotated(image, degrees);
    const double angle = degrees * std::numbers::pi / 180;
    int seen = 0;
    for (std::int64_t i = 0; i < size; ++i) {
      for (std::int64_t j = 0; j < size; ++j) {
        // Upwards and to the right of the middle, turned back by the angle.
        const double up = middle - static_cast<double>(i);
        const double right = static_cast<double>(j) - middle;
        if (std::hypot(up, right) > middle) continue;
        const double from_right = std::cos(-angle) * right - std::sin(-angle) * up;
        const double from_up = std::sin(-angle) * right + std::cos(-angle) * up;
        CHECK(turned.at({0, i, j}) == doctest::Approx(plane(middle - from_up, middle + from_right)));
        ++seen;
      }
    }
    CHECK(seen == 81);
  }
}

TEST_CASE("random_rotation: what comes in is the fill, a number a channel") {
  const Tensor turned = rotated(ones({2, 9, 9}), 45, {0.25, -3});
  CHECK(turned.at({0, 0, 0}) == 0.25);
  CHECK(turned.at({1, 0, 0}) == -3);
  CHECK(turned.at({1, 4, 4}) == 1);
  CHECK(rotated(full({1, 9, 9}, 9, {.dtype = uint8}), 45, {300}).to(int64).at_int64({0, 0, 0}) == 255);
  CHECK(rotated(zeros({0, 4, 4}), 45).shape() == Shape{0, 4, 4});
  CHECK(rotated(zeros({1, 0, 4}), 45).shape() == Shape{1, 0, 4});
}

TEST_CASE("random_rotation: the angle is uniform, one draw") {
  const Tensor image = reshape(arange(25), {1, 5, 5}).to(float64);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed);
    const Tensor turned = after(random_rotation({.degrees = {-20, 40}}), image, random);
    CHECK(random.position() == 1);
    // The compiler may fuse a product with the sum it is added to, here or there.
    const double u = Random(seed).next_uniform();
    const double product = 60 * u;
    const bool is_plain = numbers_of(turned) == numbers_of(rotated(image, product - 20));
    CHECK((is_plain || numbers_of(turned) == numbers_of(rotated(image, std::fma(60.0, u, -20.0)))));
  }
}

TEST_CASE("random_rotation: what it refuses") {
  const auto refused = [](const datasets::RandomRotationOptions& options) {
    return message_of<ValueError>([&] { return static_cast<bool>(random_rotation(options)); });
  };
  CHECK(refused({}) == "random_rotation: degrees must not fall, nor both be 0: got 0 to 0");
  CHECK(refused({.degrees = {3, -3}}) ==
        "random_rotation: degrees must not fall, nor both be 0: got 3 to -3");
  CHECK(refused({.degrees = {0, std::numeric_limits<double>::infinity()}}) ==
        "random_rotation: degrees must be finite: got inf");
  CHECK(refused({.degrees = {0, 3}, .fill = {}}) ==
        "random_rotation: fill must have a number, or one a channel: got none");
  CHECK(message_of<ShapeError>([] {
          return rotated(zeros({3, 2, 2}), 3, {1, 2});
        }) == "random_rotation: numbers of channels differ: fill has 2, a sample is [3, 2, 2]");
  CHECK(message_of<DtypeError>([] {
          return rotated(reshape(arange(4), {1, 2, 2}), 3);
        }) == "random_rotation: samples must be float32, float64 or uint8: got int64");
}
