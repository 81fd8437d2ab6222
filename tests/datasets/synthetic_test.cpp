#include "xtgrad/datasets/synthetic.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/datasets/seed.h"

using namespace xtgrad;
using datasets::Dataset;
using std::numbers::pi;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

std::vector<double> inputs(const Dataset& data) {
  const Tensor in_double = data.inputs().to(float64);
  const std::span<const double> x = in_double.data<double>();
  return {x.begin(), x.end()};
}

std::vector<std::int64_t> labels(const Dataset& data) {
  const std::span<const std::int64_t> y = data.labels().data<std::int64_t>();
  return {y.begin(), y.end()};
}

/// Distances of noisy points from the same points without noise have deviation `noise` and mean 0.
void check_noise(const Dataset& noisy, const Dataset& exact, double noise) {
  const std::vector<double> a = inputs(noisy);
  const std::vector<double> b = inputs(exact);
  REQUIRE(a.size() == b.size());
  double sum = 0;
  double squares = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum += a[i] - b[i];
    squares += (a[i] - b[i]) * (a[i] - b[i]);
  }
  const auto n = static_cast<double>(a.size());
  CHECK(std::abs(sum / n) < 4 * noise / std::sqrt(n));
  CHECK(std::sqrt(squares / n) == doctest::Approx(noise).epsilon(3 / std::sqrt(2 * n)));
}

/// What every generator promises; `make` takes a seed and a dtype.
void check_seeds_and_dtypes(const std::function<Dataset(std::uint64_t, Dtype)>& make) {
  const Dataset a = make(1, float64);
  CHECK(a.inputs().dtype() == float64);
  CHECK(a.labels().dtype() == int64);
  CHECK(inputs(make(1, float64)) == inputs(a));
  CHECK(inputs(make(2, float64)) != inputs(a));
  CHECK(labels(make(2, float64)) == labels(a));
  const Dataset rounded = make(1, float32);
  CHECK(rounded.inputs().dtype() == float32);
  std::vector<double> want = inputs(a);
  for (double& value : want) value = static_cast<float>(value);
  CHECK(inputs(rounded) == want);
  CHECK_THROWS_WITH_AS(static_cast<void>(make(1, int64)),
                       doctest::Contains(": dtype must be float32 or float64: got int64"), DtypeError);
}

}  // namespace

TEST_CASE("spirals: points of the formula") {
  const Dataset data =
      datasets::spirals({.classes = 4, .per_class = 5, .turns = 1.5, .noise = 0, .dtype = float64});
  CHECK(data.inputs().shape() == Shape{20, 2});
  CHECK(data.classes() == 4);
  CHECK(data.class_counts() == std::vector<std::int64_t>{5, 5, 5, 5});
  for (std::int64_t j = 0; j < 5; ++j) {
    for (std::int64_t c = 0; c < 4; ++c) {
      const std::int64_t row = 4 * j + c;
      CHECK(data.labels().at({row}) == static_cast<double>(c));
      const double r = static_cast<double>(j + 1) / 5;
      const double angle = 2 * pi * (1.5 * r + static_cast<double>(c) / 4);
      CHECK(data.inputs().at({row, 0}) == doctest::Approx(r * std::cos(angle)).epsilon(1e-14));
      CHECK(data.inputs().at({row, 1}) == doctest::Approx(r * std::sin(angle)).epsilon(1e-14));
    }
  }
  // The arms end on the unit circle: the last point of arm 2 after one and a half turns and half of one.
  CHECK(data.inputs().at({18, 0}) == doctest::Approx(1).epsilon(1e-14));
}

TEST_CASE("spirals: noise, seeds and dtypes") {
  check_noise(datasets::spirals({.per_class = 500, .noise = 0.1, .seed = 7, .dtype = float64}),
              datasets::spirals({.per_class = 500, .noise = 0, .dtype = float64}), 0.1);
  check_seeds_and_dtypes([](std::uint64_t seed, Dtype dtype) {
    return datasets::spirals({.classes = 2, .per_class = 20, .seed = seed, .dtype = dtype});
  });
  CHECK(datasets::spirals({.classes = 1, .per_class = 1}).inputs().shape() == Shape{1, 2});
}

TEST_CASE("moons: points of the formula") {
  const Dataset data = datasets::moons({.per_class = 3, .noise = 0, .dtype = float64});
  CHECK(data.classes() == 2);
  CHECK(labels(data) == std::vector<std::int64_t>{0, 1, 0, 1, 0, 1});
  const std::vector<double> want = {1, 0, 0, 0.5, 0, 1, 1, -0.5, -1, 0, 2, 0.5};
  const std::vector<double> got = inputs(data);
  REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < want.size(); ++i) CHECK(std::abs(got[i] - want[i]) < 1e-15);
  CHECK(inputs(datasets::moons({.per_class = 1, .noise = 0})) == std::vector<double>{1, 0, 0, 0.5});
}

TEST_CASE("moons: noise, seeds and dtypes") {
  check_noise(datasets::moons({.per_class = 800, .noise = 0.2, .seed = 3, .dtype = float64}),
              datasets::moons({.per_class = 800, .noise = 0, .dtype = float64}), 0.2);
  check_seeds_and_dtypes([](std::uint64_t seed, Dtype dtype) {
    return datasets::moons({.per_class = 20, .seed = seed, .dtype = dtype});
  });
}

TEST_CASE("blobs: around the centres given") {
  const datasets::BlobsOptions options{
      .centers = {{0, 0, 5}, {-3, 4, 1}}, .per_class = 700, .std = 0, .dtype = float64};
  const Dataset exact = datasets::blobs(options);
  CHECK(exact.inputs().shape() == Shape{1400, 3});
  CHECK(exact.classes() == 2);
  CHECK(exact.inputs().at({2, 2}) == 5);
  CHECK(exact.inputs().at({1399, 0}) == -3);
  CHECK(exact.inputs().at({1399, 1}) == 4);
  CHECK(exact.labels().at({1399}) == 1);
  datasets::BlobsOptions noisy = options;
  noisy.std = 2.5;
  check_noise(datasets::blobs(noisy), exact, 2.5);
}

TEST_CASE("blobs: drawn centres") {
  const Dataset data = datasets::blobs({.classes = 50, .features = 4, .box = 3, .per_class = 2, .std = 0});
  CHECK(data.inputs().shape() == Shape{100, 4});
  CHECK(data.classes() == 50);
  double least = 0;
  double largest = 0;
  for (const double x : inputs(data)) {
    least = std::min(least, x);
    largest = std::max(largest, x);
  }
  CHECK(least >= -3);
  CHECK(least < -2.5);
  CHECK(largest < 3);
  CHECK(largest > 2.5);
  // Both samples of class 7 lie on its centre.
  for (std::int64_t i = 0; i < 4; ++i) CHECK(data.inputs().at({7, i}) == data.inputs().at({57, i}));
}

TEST_CASE("blobs: seeds and dtypes") {
  check_seeds_and_dtypes([](std::uint64_t seed, Dtype dtype) {
    return datasets::blobs({.per_class = 5, .seed = seed, .dtype = dtype});
  });
  check_seeds_and_dtypes([](std::uint64_t seed, Dtype dtype) {
    return datasets::blobs({.centers = {{1}, {2}}, .per_class = 5, .seed = seed, .dtype = dtype});
  });
}

TEST_CASE("xor_points: the four points, or clouds about them") {
  const Dataset data = datasets::xor_points();
  CHECK(inputs(data) == std::vector<double>{0, 0, 0, 1, 1, 0, 1, 1});
  CHECK(labels(data) == std::vector<std::int64_t>{0, 1, 1, 0});
  CHECK(data.classes() == 2);
  CHECK(data.inputs().dtype() == float32);
  const Dataset clouds = datasets::xor_points({.per_corner = 300, .noise = 0.1, .seed = 2, .dtype = float64});
  CHECK(clouds.class_counts() == std::vector<std::int64_t>{600, 600});
  check_noise(clouds, datasets::xor_points({.per_corner = 300, .dtype = float64}), 0.1);
  check_seeds_and_dtypes([](std::uint64_t seed, Dtype dtype) {
    return datasets::xor_points({.per_corner = 3, .noise = 0.1, .seed = seed, .dtype = dtype});
  });
}

TEST_CASE("synthetic: the thread's default dtype") {
  const DefaultDtype in_double(float64);
  CHECK(datasets::spirals().inputs().dtype() == float64);
  CHECK(datasets::moons().inputs().dtype() == float64);
  CHECK(datasets::blobs().inputs().dtype() == float64);
  CHECK(datasets::xor_points().inputs().dtype() == float64);
}

TEST_CASE("synthetic: the uses of one seed have no bits in common") {
  using datasets::detail::random_for;
  using datasets::detail::SeedUse;
  std::vector<double> draws;
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    for (const SeedUse use : {SeedUse::samples, SeedUse::split, SeedUse::order, SeedUse::transform}) {
      draws.push_back(random_for(seed, use).next_uniform());
      CHECK(random_for(seed, use).next_uniform() == draws.back());
    }
    draws.push_back(Random(seed).next_uniform());
  }
  std::sort(draws.begin(), draws.end());
  CHECK(std::adjacent_find(draws.begin(), draws.end()) == draws.end());
}

TEST_CASE("synthetic: options out of range") {
  const auto message = [](auto&& make) -> std::string {
    try {
      static_cast<void>(make());
    } catch (const ValueError& error) {
      return error.what();
    }
    return "no ValueError";
  };
  using namespace datasets;  // NOLINT(google-build-using-namespace)
  CHECK(message([] { return spirals({.classes = 0}); }) == "spirals: classes must be at least 1: got 0");
  CHECK(message([] { return spirals({.per_class = 0}); }) == "spirals: per_class must be at least 1: got 0");
  CHECK(message([] { return spirals({.turns = not_a_number}); }) == "spirals: turns must be finite: got nan");
  CHECK(message([] { return spirals({.noise = -1}); }) ==
        "spirals: noise must be finite and not negative: got -1");
  CHECK(message([] { return moons({.per_class = -1}); }) == "moons: per_class must be at least 1: got -1");
  CHECK(message([] { return moons({.noise = not_a_number}); }) ==
        "moons: noise must be finite and not negative: got nan");
  CHECK(message([] { return blobs({.per_class = 0}); }) == "blobs: per_class must be at least 1: got 0");
  CHECK(message([] { return blobs({.classes = 0}); }) == "blobs: classes must be at least 1: got 0");
  CHECK(message([] { return blobs({.features = 0}); }) == "blobs: features must be at least 1: got 0");
  CHECK(message([] { return blobs({.box = -2}); }) == "blobs: box must be finite and not negative: got -2");
  CHECK(message([] { return blobs({.std = -2}); }) == "blobs: std must be finite and not negative: got -2");
  CHECK(message([] { return blobs({.centers = {{}}}); }) ==
        "blobs: length of a center must be at least 1: got 0");
  CHECK(message([] {
          return blobs({.centers = {{1, 2}, {3, not_a_number}}});
        }) == "blobs: centers[1][1] must be finite: got nan");
  CHECK(message([] { return xor_points({.per_corner = 0}); }) ==
        "xor_points: per_corner must be at least 1: got 0");
  CHECK(message([] { return xor_points({.noise = -0.5}); }) ==
        "xor_points: noise must be finite and not negative: got -0.5");
  CHECK_THROWS_WITH_AS(static_cast<void>(blobs({.centers = {{1, 2}, {3}}})),
                       "blobs: centers differ in length: centers[0] has 2, centers[1] has 1", ShapeError);
}
