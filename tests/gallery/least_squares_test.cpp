#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "tests/gallery/gallery_page.h"
#include "xtgrad/datasets/iris.h"

using namespace xtgrad;

TEST_CASE("gallery 04: gradient descent ends at the line of the closed form") {
  const testing::GalleryPage page("04_least_squares");
  // slope = sum (x - mean x)(y - mean y) / sum (x - mean x)^2, in plain loops
  const Tensor inputs = datasets::iris({.dtype = float64}).inputs();
  const auto values = inputs.data<double>();
  double mean_x = 0;
  double mean_y = 0;
  for (std::size_t i = 0; i < 150; ++i) {
    mean_x += values[4 * i + 2] / 150;
    mean_y += values[4 * i + 3] / 150;
  }
  double xy = 0;
  double xx = 0;
  for (std::size_t i = 0; i < 150; ++i) {
    xy += (values[4 * i + 2] - mean_x) * (values[4 * i + 3] - mean_y);
    xx += (values[4 * i + 2] - mean_x) * (values[4 * i + 2] - mean_x);
  }
  const double slope = xy / xx;
  const double bias = mean_y - slope * mean_x;
  CHECK(page.number("slope, closed form") == doctest::Approx(slope).epsilon(1e-12));
  CHECK(page.number("bias, closed form (cm)") == doctest::Approx(bias).epsilon(1e-12));
  CHECK(std::abs(page.number("slope, 4000 steps") - slope) < 1e-6);
  CHECK(std::abs(page.number("bias, 4000 steps (cm)") - bias) < 1e-6);
  CHECK(page.number("error after 4000 steps (cm²)") < page.number("error after 5 steps (cm²)"));
}
