#include "xtgrad/datasets/gaussian_noise.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "tests/datasets/image_transforms.h"
#include "tests/support/message_of.h"
#include "xtgrad/autograd/errors.h"

using namespace xtgrad;
using namespace xtgrad::testing;
using datasets::gaussian_noise;

TEST_CASE("gaussian_noise: has its mean and deviation, and stays in [0, 1] where it is told to") {
  for (const Dtype dtype : {float32, float64}) {
    const Tensor grey = full({1, 100, 100}, 0.5, {.dtype = dtype});
    const std::vector<double> noisy =
        numbers_of(after(gaussian_noise({.mean = 0.25, .sigma = 2, .clip = false}), grey));
    double sum = 0;
    double squares = 0;
    for (const double x : noisy) {
      sum += x - 0.75;
      squares += (x - 0.75) * (x - 0.75);
    }
    CHECK(std::abs(sum / 1e4) < 5 * 2 / 100.0);
    CHECK(std::abs(squares / 1e4 / 4 - 1) < 5 * std::sqrt(2 / 1e4));
    const std::vector<double> clipped = numbers_of(after(gaussian_noise({.mean = 0.25, .sigma = 2}), grey));
    for (std::size_t i = 0; i < noisy.size(); ++i)
      CHECK(clipped[i] == std::min(std::max(noisy[i], 0.0), 1.0));
  }
  CHECK(numbers_of(after(gaussian_noise({.sigma = 0}), full({2}, 0.5))) == std::vector<double>{0.5, 0.5});
  CHECK(after(gaussian_noise(), zeros({0, 3})).shape() == Shape{0, 3});
}

TEST_CASE("gaussian_noise: what it refuses") {
  CHECK_THROWS_WITH_AS(static_cast<void>(gaussian_noise({.sigma = -1})),
                       "gaussian_noise: sigma must be finite and not negative: got -1", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(gaussian_noise({.mean = std::numeric_limits<double>::infinity()})),
                       "gaussian_noise: mean must be finite: got inf", ValueError);
  CHECK(message_of<DtypeError>([] { return after(gaussian_noise(), ones({2}, {.dtype = uint8})); }) ==
        "gaussian_noise: samples must be float32 or float64: got uint8");
}
