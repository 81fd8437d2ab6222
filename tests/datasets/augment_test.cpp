#include "xtgrad/datasets/augment.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/datasets/loader.h"
#include "xtgrad/datasets/transforms.h"

using namespace xtgrad;
using datasets::Augment;
using datasets::CropPadding;
using datasets::random_crop;
using datasets::random_flip;
using datasets::random_shift;
using datasets::SampleTarget;
using datasets::SampleTransform;
using datasets::SampleView;

namespace {

/// An image [c, h, w] whose elements are 1, 2, 3 ...: each tells where it came from, and none is zero.
struct Image {
  Shape shape;
  std::vector<double> elements;

  explicit Image(const Shape& of) : shape(of), elements(static_cast<std::size_t>(of.numel())) {
    for (std::size_t i = 0; i < elements.size(); ++i) elements[i] = static_cast<double>(i + 1);
  }
  [[nodiscard]] double at(std::int64_t c, std::int64_t i, std::int64_t j) const {
    return elements[static_cast<std::size_t>((c * shape[1] + i) * shape[2] + j)];
  }
  friend bool operator==(const Image&, const Image&) = default;
};

/// The image after a transform, in a dtype that is converted to double and back.
Image after(const SampleTransform& transform, const Image& image, Random& random, Dtype dtype = float64) {
  const Tensor x = from_span(image.elements, image.shape).to(dtype);
  Image result(transform.output_shape(image.shape));
  const auto run = [&]<class T>(T) {
    const std::vector<T> from(x.data<T>().begin(), x.data<T>().end());
    std::vector<T> to(result.elements.size(), T{77});
    transform(SampleView(from.data(), image.shape, dtype), SampleTarget(to.data(), result.shape, dtype),
              random);
    std::copy(to.begin(), to.end(), result.elements.begin());
  };
  if (dtype == float32) run(float{});
  if (dtype == float64) run(double{});
  if (dtype == int64) run(std::int64_t{});
  return result;
}

Image after(const SampleTransform& transform, const Image& image, std::uint64_t seed, Dtype dtype = float64) {
  Random random(seed);
  return after(transform, image, random, dtype);
}

/// What a pixel outside the image is, by walking there one step at a time and turning at the edges.
std::int64_t mirrored(std::int64_t i, std::int64_t size) {
  std::int64_t at = 0;
  std::int64_t step = i < 0 ? -1 : 1;
  for (std::int64_t walked = 0; walked < std::abs(i); ++walked) {
    if (at + step < 0 || at + step >= size) step = -step;
    at += step;
  }
  return at;
}

/// The window of the image with its corner at (top, left), which may lie outside, pixel by pixel.
Image window(const Image& image, const Shape& shape, std::int64_t top, std::int64_t left, CropPadding mode) {
  Image result(shape);
  std::size_t k = 0;
  for (std::int64_t c = 0; c < shape[0]; ++c) {
    for (std::int64_t i = top; i < top + shape[1]; ++i) {
      for (std::int64_t j = left; j < left + shape[2]; ++j, ++k) {
        const bool inside = i >= 0 && i < image.shape[1] && j >= 0 && j < image.shape[2];
        result.elements[k] = 0;
        if (inside) result.elements[k] = image.at(c, i, j);
        if (!inside && mode == CropPadding::reflect) {
          result.elements[k] = image.at(c, mirrored(i, image.shape[1]), mirrored(j, image.shape[2]));
        }
      }
    }
  }
  return result;
}

/// True if each of `cells` outcomes occurs within five standard deviations of its share.
template <class Counts>
bool evenly(const Counts& counts, std::size_t cells, double total) {
  if (counts.size() != cells) return false;
  const double share = 1 / static_cast<double>(cells);
  const double tolerance = 5 * std::sqrt(total * share * (1 - share));
  return std::all_of(counts.begin(), counts.end(), [&](const auto& entry) {
    return std::abs(static_cast<double>(entry.second) - total * share) < tolerance;
  });
}

constexpr std::uint64_t many = 4000;

}  // namespace

TEST_CASE("random_crop: every window occurs, equally often, with its exact content") {
  const Image image({2, 4, 5});
  for (const CropPadding mode : {CropPadding::zeros, CropPadding::reflect}) {
    const SampleTransform crop = random_crop({.size = {3, 4}, .padding = {1, 2}, .mode = mode});
    // Corners -1 .. 4 + 1 - 3 and -2 .. 5 + 2 - 4.
    std::vector<std::pair<Image, std::pair<std::int64_t, std::int64_t>>> windows;
    for (std::int64_t top = -1; top <= 2; ++top) {
      for (std::int64_t left = -2; left <= 3; ++left) {
        windows.push_back({window(image, {2, 3, 4}, top, left, mode), {top, left}});
      }
    }
    std::map<std::pair<std::int64_t, std::int64_t>, int> counts;
    for (std::uint64_t seed = 0; seed < many; ++seed) {
      const Image crops = after(crop, image, seed);
      const auto found =
          std::find_if(windows.begin(), windows.end(), [&](const auto& w) { return w.first == crops; });
      REQUIRE(found != windows.end());
      ++counts[found->second];
    }
    CHECK(evenly(counts, 4 * 6, many));
  }
}

TEST_CASE("random_crop: draws top, then left, for every dtype the same") {
  const Image image({3, 6, 7});
  const SampleTransform crop = random_crop({.size = {6, 5}, .padding = {3, 1}});
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Random random(seed);
    const std::int64_t top = random.next_below(6 + 2 * 3 - 6 + 1) - 3;
    const std::int64_t left = random.next_below(7 + 2 * 1 - 5 + 1) - 1;
    const Image expected = window(image, {3, 6, 5}, top, left, CropPadding::zeros);
    for (const Dtype dtype : {float32, float64, int64}) CHECK(after(crop, image, seed, dtype) == expected);
  }
}

TEST_CASE("random_crop: reflection mirrors at the outermost pixel") {
  // One row, one window that has all of the padding in it: c b | a b c | b a.
  Image image({1, 1, 3});
  const SampleTransform crop = random_crop({.size = {1, 7}, .padding = {0, 2}, .mode = CropPadding::reflect});
  CHECK(after(crop, image, 1).elements == std::vector<double>{3, 2, 1, 2, 3, 2, 1});
  CHECK(after(random_crop({.size = {1, 7}, .padding = {0, 2}}), image, 1).elements ==
        std::vector<double>{0, 0, 1, 2, 3, 0, 0});
}

TEST_CASE("random_crop: the whole image, images without channels, bool") {
  const Image image({2, 3, 3});
  CHECK(after(random_crop({.size = 3}), image, 5) == image);
  CHECK(after(random_crop({.size = 2}), Image({0, 3, 3}), 5).shape == Shape{0, 2, 2});
  CHECK(random_crop({.size = 3, .padding = 2}).output_shape({2, 0, 0}) == Shape{2, 3, 3});
  Random random(1);
  const Tensor mask = ones({4, 1, 2, 2}, {.dtype = boolean});
  const Tensor cropped = transform_samples(mask, random_crop({.size = 4, .padding = 1}), random).to(int64);
  CHECK(cropped.shape() == Shape{4, 1, 4, 4});
  CHECK(sum(cropped).item_int64() == 4 * 4);
}

TEST_CASE("random_crop: options and samples that do not fit") {
  const auto crop = [](Size2d size, Size2d padding) {
    static_cast<void>(random_crop({.size = size, .padding = padding}));
  };
  CHECK_THROWS_WITH_AS(static_cast<void>(random_crop({})), "random_crop: size must be at least 1x1: got 0x0",
                       ValueError);
  CHECK_THROWS_WITH_AS(crop({3, -1}, 0), "random_crop: size must be at least 1x1: got 3x-1", ValueError);
  CHECK_THROWS_WITH_AS(crop(3, {0, -1}), "random_crop: padding must be at least 0: got 0x-1", ValueError);
  CHECK_THROWS_WITH_AS(
      crop({8, 4}, 4),
      "random_crop: padding must be less than size, or a crop may show nothing of the image: "
      "padding is 4x4, size is 8x4",
      ValueError);
  const auto shape = [](const datasets::RandomCropOptions& options, const Shape& sample) {
    static_cast<void>(random_crop(options).output_shape(sample));
  };
  CHECK_THROWS_WITH_AS(shape({.size = {9, 10}, .padding = 1}, {3, 8, 7}),
                       "random_crop: crop is larger than the padded image: size is 9x10, padding is 1x1, a "
                       "sample is [3, 8, 7]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(
      shape({.size = 5}, {25}),
      "random_crop: needs samples [c, h, w]: a sample is [25]; reshape the data set's inputs", ShapeError);
  CHECK_THROWS_WITH_AS(
      shape({.size = 4, .padding = {0, 3}, .mode = CropPadding::reflect}, {1, 4, 3}),
      "random_crop: padding by reflection must be less than the image: padding is 0x3, a sample is [1, 4, 3]",
      ShapeError);
  // Twice this padding is more than an int64 holds.
  const std::int64_t huge = std::numeric_limits<std::int64_t>::max();
  CHECK_THROWS_WITH_AS(shape({.size = huge, .padding = huge / 4}, {1, 4, 4}),
                       doctest::Contains("crop is larger than the padded image"), ShapeError);
}

TEST_CASE("random_flip: mirrors left and right; twice is the identity") {
  const Image image({2, 3, 5});
  Image expected = image;
  for (std::int64_t c = 0, k = 0; c < 2; ++c) {
    for (std::int64_t i = 0; i < 3; ++i) {
      for (std::int64_t j = 0; j < 5; ++j, ++k) {
        expected.elements[static_cast<std::size_t>(k)] = image.at(c, i, 4 - j);
      }
    }
  }
  const SampleTransform always = random_flip({.p = 1});
  for (const Dtype dtype : {float32, float64, int64}) {
    CHECK(after(always, image, 3, dtype) == expected);
    CHECK(after(always, after(always, image, 3, dtype), 4, dtype) == image);
    CHECK(after(random_flip({.p = 0}), image, 3, dtype) == image);
  }
  CHECK(after(always, Image({2, 3, 0}), 1).shape == Shape{2, 3, 0});
  CHECK(after(always, Image({0, 3, 2}), 1).shape == Shape{0, 3, 2});
}

TEST_CASE("random_flip: as often as p says") {
  const Image image({1, 1, 2});
  for (const double p : {0.5, 0.25}) {
    double flips = 0;
    for (std::uint64_t seed = 0; seed < many; ++seed) {
      const Image result = after(random_flip({.p = p}), image, seed);
      if (result != image) ++flips;
      Random random(seed);
      CHECK((result != image) == (random.next_uniform() < p));
    }
    CHECK(std::abs(flips - many * p) < 5 * std::sqrt(many * p * (1 - p)));
  }
  CHECK(after(random_flip(), image, 7) == after(random_flip({.p = 0.5}), image, 7));
}

TEST_CASE("random_flip: options and samples that do not fit") {
  const auto flip = [](double p) { static_cast<void>(random_flip({.p = p})); };
  CHECK_THROWS_WITH_AS(flip(1.5), "random_flip: p must be in [0, 1]: got 1.5", ValueError);
  CHECK_THROWS_WITH_AS(flip(-0.1), "random_flip: p must be in [0, 1]: got -0.1", ValueError);
  CHECK_THROWS_WITH_AS(flip(std::nan("")), "random_flip: p must be in [0, 1]: got nan", ValueError);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(random_flip().output_shape({4, 4})),
      "random_flip: needs samples [c, h, w]: a sample is [4, 4]; reshape the data set's inputs", ShapeError);
}

TEST_CASE("random_shift: every shift occurs, equally often, and zeros come in") {
  const Image image({2, 3, 4});
  const SampleTransform shift = random_shift({.pixels = {2, 1}});
  std::map<std::pair<std::int64_t, std::int64_t>, int> counts;
  for (std::uint64_t seed = 0; seed < many; ++seed) {
    Random random(seed);
    const std::int64_t dy = random.next_below(5) - 2;
    const std::int64_t dx = random.next_below(3) - 1;
    ++counts[{dy, dx}];
    CHECK(after(shift, image, seed) == window(image, image.shape, -dy, -dx, CropPadding::zeros));
  }
  CHECK(evenly(counts, 5 * 3, many));
  // By hand: down by one, right by one.
  const Image square({1, 2, 2});
  CHECK(window(square, square.shape, -1, -1, CropPadding::zeros).elements == std::vector<double>{0, 0, 0, 1});
}

TEST_CASE("random_shift: options and samples that do not fit") {
  const auto shift = [](Size2d pixels) { static_cast<void>(random_shift({.pixels = pixels})); };
  CHECK_THROWS_WITH_AS(static_cast<void>(random_shift({})),
                       "random_shift: pixels must not be negative, nor both 0: got 0x0", ValueError);
  CHECK_THROWS_WITH_AS(shift({2, -2}), "random_shift: pixels must not be negative, nor both 0: got 2x-2",
                       ValueError);
  const auto shape = [](Size2d pixels, const Shape& sample) {
    static_cast<void>(random_shift({.pixels = pixels}).output_shape(sample));
  };
  CHECK_THROWS_WITH_AS(
      shape({0, 4}, {1, 8, 4}),
      "random_shift: pixels must be less than the image: pixels is 0x4, a sample is [1, 8, 4]", ShapeError);
  CHECK_THROWS_WITH_AS(
      shape(1, {1, 8, 4, 2}),
      "random_shift: needs samples [c, h, w]: a sample is [1, 8, 4, 2]; reshape the data set's "
      "inputs",
      ShapeError);
}

TEST_CASE("normalize: the formula, in the sample's dtype") {
  const Image image({2, 2, 3});
  const SampleTransform transform = datasets::normalize({.mean = {3, -1}, .scale = {0.7, 4}});
  for (const Dtype dtype : {float32, float64}) {
    const Image result = after(transform, image, 1, dtype);
    for (std::size_t k = 0; k < image.elements.size(); ++k) {
      const double mean = k < 6 ? 3 : -1;
      const double scale = k < 6 ? 0.7 : 4;
      const double expected =
          dtype == float64
              ? (image.elements[k] - mean) / scale
              : static_cast<double>((static_cast<float>(image.elements[k]) - static_cast<float>(mean)) /
                                    static_cast<float>(scale));
      CHECK(result.elements[k] == expected);
    }
  }
  // One number serves all channels.
  const Image result = after(datasets::normalize({.mean = {1}, .scale = {2}}), Image({3, 1, 1}), 1);
  CHECK(result.elements == std::vector<double>{0, 0.5, 1});
  CHECK(after(transform, Image({2, 0, 3}), 1).elements.empty());
}

TEST_CASE("normalize: has the bits of the normalizer that it is made from") {
  Random random(3);
  for (const Dtype dtype : {float32, float64}) {
    const Tensor images = randn({20, 3, 4, 5}, random, {.dtype = dtype});
    const auto normalizer = datasets::Normalizer::fit(images, {.per_channel = true});
    const Tensor expected = normalizer(images);
    const Tensor result = transform_samples(images, datasets::normalize(normalizer), random);
    CHECK(result.dtype() == dtype);
    CHECK(sum(equal(result, expected).to(int64)).item_int64() == images.numel());
  }
}

TEST_CASE("normalize: options and samples that do not fit") {
  const auto make = [](std::vector<double> mean, std::vector<double> scale) {
    static_cast<void>(datasets::normalize({.mean = std::move(mean), .scale = std::move(scale)}));
  };
  CHECK_THROWS_WITH_AS(make({}, {}),
                       "normalize: needs as many means as scales, one a channel: mean has 0, scale has 0",
                       ValueError);
  CHECK_THROWS_WITH_AS(make({1, 2}, {1}),
                       "normalize: needs as many means as scales, one a channel: mean has 2, scale has 1",
                       ValueError);
  CHECK_THROWS_WITH_AS(make({1, 2}, {1, 0}),
                       "normalize: mean must be finite, scale finite and positive: channel 1 has 2, 0",
                       ValueError);
  CHECK_THROWS_WITH_AS(make({std::numeric_limits<double>::infinity()}, {1}),
                       "normalize: mean must be finite, scale finite and positive: channel 0 has inf, 1",
                       ValueError);
  const SampleTransform two = datasets::normalize({.mean = {1, 2}, .scale = {1, 1}});
  CHECK_THROWS_WITH_AS(static_cast<void>(two.output_shape({3, 4, 4})),
                       "normalize: numbers of channels differ: mean has 2, a sample is [3, 4, 4]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(two.output_shape({2})),
                       "normalize: needs samples [c, h, w]: a sample is [2]; reshape the data set's inputs",
                       ShapeError);
  CHECK_THROWS_WITH_AS(after(two, Image({2, 1, 1}), 1, int64),
                       "normalize: samples must be float32 or float64: got int64", DtypeError);
  const datasets::Normalizer features(zeros({2, 3, 3}), ones({2, 3, 3}));
  CHECK_THROWS_WITH_AS(static_cast<void>(datasets::normalize(features)),
                       "normalize: needs a mean a channel, [c, 1, 1]: the normalizer's are [2, 3, 3]; fit it "
                       "with per_channel",
                       ShapeError);
}

TEST_CASE("Augment: steps in their order, on one generator") {
  const Image image({2, 6, 6});
  const SampleTransform crop = random_crop({.size = {5, 7}, .padding = 2});
  const SampleTransform shift = random_shift({.pixels = 2});
  const SampleTransform numbers = datasets::normalize({.mean = {3, 5}, .scale = {2, 7}});
  const Augment augment({crop, random_flip(), shift, numbers});
  CHECK(augment.output_shape(image.shape) == Shape{2, 5, 7});
  const Augment reversed(std::vector<SampleTransform>{numbers, shift, random_flip(), crop});
  bool order_matters = false;
  for (const Dtype dtype : {float32, float64}) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      Random random(seed);
      const Image cropped = after(crop, image, random, dtype);
      const Image flipped = after(random_flip(), cropped, random, dtype);
      const Image shifted = after(shift, flipped, random, dtype);
      const Image expected = after(numbers, shifted, random, dtype);
      CHECK(after(augment, image, seed, dtype) == expected);
      order_matters = order_matters || after(reversed, image, seed, dtype) != expected;
    }
  }
  CHECK(order_matters);
}

TEST_CASE("Augment: none, one, and one inside another") {
  const Image image({1, 3, 3});
  CHECK(after(Augment(std::vector<SampleTransform>{}), image, 1) == image);
  CHECK_FALSE(
      static_cast<bool>(static_cast<const SampleTransform&>(Augment(std::vector<SampleTransform>{}))));
  CHECK(after(Augment({random_flip({.p = 1})}), image, 1) == after(random_flip({.p = 1}), image, 1));
  const Augment inner({random_flip({.p = 1}), random_shift({.pixels = 1})});
  const Augment outer({inner, SampleTransform(), random_flip({.p = 1})});
  Random random(9);
  const Image shifted = after(inner, image, random);
  CHECK(after(outer, image, 9) == after(random_flip({.p = 1}), shifted, random));
}

TEST_CASE("Augment: a step that does not fit is found by its shape") {
  const Augment augment({random_crop({.size = 4}), random_crop({.size = 5})});
  CHECK_THROWS_WITH_AS(static_cast<void>(augment.output_shape({1, 8, 8})),
                       "random_crop: crop is larger than the padded image: size is 5x5, padding is 0x0, a "
                       "sample is [1, 4, 4]",
                       ShapeError);
  // A loader looks before the first batch.
  const datasets::Dataset data({.inputs = zeros({2, 1, 8, 8}), .labels = zeros({2})});
  CHECK_THROWS_WITH_AS(datasets::Loader(data, {.sample_transform = augment}),
                       doctest::Contains("random_crop: crop is larger"), ShapeError);
}

TEST_CASE("Augment: in a loader, as in its documentation") {
  Random random(2);
  const datasets::Dataset train({.inputs = uniform({70, 3, 32, 32}, {}, random),
                                 .labels = zeros({70}, {.dtype = int64}),
                                 .classes = 10});
  const datasets::Augment augment(
      {datasets::random_crop({.size = {32, 32}, .padding = 4}), datasets::random_flip(),
       datasets::normalize({.mean = {0.49, 0.48, 0.45}, .scale = {0.25, 0.24, 0.26}})});
  datasets::Loader loader(train, {.batch_size = 32, .shuffle = true, .sample_transform = augment});
  std::vector<Shape> shapes;
  for (auto& [x, y] : loader) shapes.push_back(x.shape());
  CHECK(shapes == std::vector<Shape>{{32, 3, 32, 32}, {32, 3, 32, 32}, {6, 3, 32, 32}});
}
