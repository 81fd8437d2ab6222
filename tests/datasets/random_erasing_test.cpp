#include "xtgrad/datasets/random_erasing.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tests/datasets/image_transforms.h"
#include "tests/support/message_of.h"
#include "xtgrad/autograd/errors.h"

using namespace xtgrad;
using namespace xtgrad::testing;
using datasets::random_erasing;

TEST_CASE("random_erasing: the rectangle is the one that its draws say") {
  const datasets::RandomErasingOptions options{
      .p = 0.7, .scale = {0.05, 0.6}, .ratio = {0.2, 4}, .value = {7, 8}};
  const Tensor image = reshape(arange(2 * 9 * 12), {2, 9, 12}).to(float64);
  int erased = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Random random(seed);
    std::vector<double> expected = numbers_of(image);
    if (random.next_uniform() < 0.7) {
      std::int64_t height = 0;
      std::int64_t width = 0;
      do {
        const double area = 108 * (0.05 + 0.55 * random.next_uniform());
        const double ratio =
            std::exp(std::log(0.2) + (std::log(4.0) - std::log(0.2)) * random.next_uniform());
        height = std::lround(std::sqrt(area * ratio));
        width = std::lround(std::sqrt(area / ratio));
      } while (height >= 9 || width >= 12);
      const std::int64_t top = random.next_below(9 - height + 1);
      const std::int64_t left = random.next_below(12 - width + 1);
      for (std::int64_t c = 0; c < 2; ++c) {
        for (std::int64_t i = top; i < top + height; ++i) {
          for (std::int64_t j = left; j < left + width; ++j) {
            expected[static_cast<std::size_t>((c * 9 + i) * 12 + j)] = c == 0 ? 7 : 8;
          }
        }
      }
      ++erased;
    }
    CHECK(numbers_of(after(random_erasing(options), image, seed)) == expected);
  }
  CHECK(std::abs(erased - 210) < 5 * std::sqrt(300 * 0.7 * 0.3));
}

TEST_CASE("random_erasing: noise, bytes, and nothing") {
  for (const Dtype dtype : {float32, float64}) {
    const Tensor noisy = after(random_erasing({.p = 1, .scale = {0.3, 0.3}, .ratio = {1, 1}, .noise = true}),
                               full({3, 60, 60}, 9, {.dtype = dtype}));
    double sum = 0;
    double squares = 0;
    double count = 0;
    for (const double x : numbers_of(noisy)) {
      if (x == 9) continue;
      sum += x;
      squares += x * x;
      ++count;
    }
    CHECK(count == 3 * 33 * 33);
    CHECK(std::abs(sum / count) < 5 / std::sqrt(count));
    CHECK(std::abs(squares / count - 1) < 5 * std::sqrt(2 / count));
  }
  const Tensor bytes = full({1, 10, 10}, 3, {.dtype = uint8});
  const Tensor covered =
      after(random_erasing({.p = 1, .scale = {0.25, 0.25}, .ratio = {1, 1}, .value = {200}}), bytes);
  CHECK(sum(equal(covered, 200).to(int64)).item_int64() == 25);
  CHECK(sum(equal(covered, 3).to(int64)).item_int64() == 75);
  // Rectangles of the image's own size do not fit, an image of a pixel has none, and p = 0 is never.
  for (const Shape& shape : {Shape{1, 4, 4}, Shape{1, 1, 1}, Shape{1, 0, 4}, Shape{0, 4, 4}}) {
    const auto whole = random_erasing({.p = 1, .scale = {1, 1}, .ratio = {1, 1}, .value = {5}});
    CHECK(numbers_of(after(whole, ones(shape))) == numbers_of(ones(shape)));
  }
  CHECK(numbers_of(after(random_erasing({.p = 0}), ones({1, 9, 9}))) == numbers_of(ones({1, 9, 9})));
}

TEST_CASE("random_erasing: what it refuses") {
  const auto refused = [](const datasets::RandomErasingOptions& options) {
    return message_of<ValueError>([&] { return static_cast<bool>(random_erasing(options)); });
  };
  CHECK(refused({.p = 1.5}) == "random_erasing: p must be in [0, 1]: got 1.5");
  CHECK(refused({.scale = {0, 0.2}}) ==
        "random_erasing: scale must be finite, positive, and not fall: got 0 to 0.2");
  CHECK(refused({.scale = {0.2, 2}}) == "random_erasing: scale must be at most 1: got 2");
  CHECK(refused({.ratio = {3, 2}}) ==
        "random_erasing: ratio must be finite, positive, and not fall: got 3 to 2");
  CHECK(refused({.value = {}}) == "random_erasing: value must have a number, or one a channel: got none");
  CHECK(message_of<ShapeError>([] {
          return after(random_erasing({.value = {1, 2}}), ones({3, 2, 2}));
        }) == "random_erasing: numbers of channels differ: value has 2, a sample is [3, 2, 2]");
  CHECK(message_of<DtypeError>([] {
          return after(random_erasing({.noise = true}), ones({3, 2, 2}, {.dtype = uint8}));
        }) == "random_erasing: samples must be float32 or float64: got uint8");
}
