#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "tests/gallery/gallery_page.h"

using namespace xtgrad;

namespace {

using Numbers = std::vector<double>;

/// As the page's: sin((i + 1) frequency), rounded to float.
Numbers waves(std::size_t count, double frequency) {
  Numbers numbers;
  for (std::size_t i = 0; i < count; ++i) {
    numbers.push_back(static_cast<float>(std::sin(static_cast<double>(i + 1) * frequency)));
  }
  return numbers;
}

/// The gradient of the page's smallest loss, three hidden neurons and 16 weights, by the chain rule in loops.
Numbers gradient_in_loops() {
  constexpr std::size_t h = 3;
  const Numbers w = waves(5 * h + 1, 1);
  const Numbers x = waves(24, 0.7);
  const Numbers y = waves(8, 0.5);
  const double root = std::sqrt(3.0);
  Numbers gradient(w.size());
  for (std::size_t sample = 0; sample < 8; ++sample) {
    Numbers t(h);
    double out = w[5 * h];
    for (std::size_t j = 0; j < h; ++j) {
      double z = w[3 * h + j];
      for (std::size_t i = 0; i < 3; ++i) z += w[3 * j + i] * x[3 * sample + i];
      t[j] = std::tanh(z);
      out += w[4 * h + j] * t[j] / root;
    }
    const double error = out - y[sample];
    gradient[5 * h] += error;
    for (std::size_t j = 0; j < h; ++j) {
      gradient[4 * h + j] += error * t[j] / root;
      const double delta = error * w[4 * h + j] / root * (1 - t[j] * t[j]);
      gradient[3 * h + j] += delta;
      for (std::size_t i = 0; i < 3; ++i) gradient[3 * j + i] += delta * x[3 * sample + i];
    }
  }
  return gradient;
}

double largest_difference(const Numbers& a, const Numbers& b) {
  REQUIRE(a.size() == b.size());
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

}  // namespace

TEST_CASE("gallery 10: numerical gradients have a best step, and the engine's are exact") {
  const testing::GalleryPage page("10_gradients");

  const Numbers wanted = gradient_in_loops();  // up to 8.5
  CHECK(largest_difference(page.numbers("gradient by hand"), wanted) < 2e-14);
  CHECK(largest_difference(page.numbers("gradient by the engine"), wanted) < 2e-14);
  CHECK(largest_difference(page.numbers("gradient by central differences"), wanted) < 1e-8);

  for (const std::string dtype : {"float32", "float64"}) {
    const double epsilon =
        dtype == "float32" ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon();
    for (const std::string kind : {"one-sided", "central"}) {
      CAPTURE(dtype);
      CAPTURE(kind);
      const auto number = [&](const std::string& what) {
        return page.number(dtype + ", " + kind + ": " + what);
      };
      const double theory = kind == "central" ? std::cbrt(epsilon) : std::sqrt(epsilon);
      CHECK(number("best step in theory") == doctest::Approx(theory).epsilon(1e-12));
      // The theory leaves out the sizes of the loss and its derivatives, which are some units here.
      CHECK(number("best step") > theory / 5);
      CHECK(number("best step") < theory * 5);
      CHECK(number("error at the theory's step") < 5 * number("least error"));
      CHECK(number("least error") <
            (kind == "central" ? 10 * std::pow(epsilon, 2.0 / 3) : 10 * std::sqrt(epsilon)));
      // A U: both ends are far above its middle.
      const Numbers long_steps = page.numbers(dtype + ", " + kind + ": error at steps 0.01, 0.1");
      REQUIRE(long_steps.size() == 2);
      CHECK(number("error at the smallest step") > 100 * number("least error"));
      CHECK(long_steps[1] > 10 * number("least error"));
      // What is left out grows with the step, or with its square. At 0.01 float32's rounding still shows.
      const double growth = std::log10(long_steps[1] / long_steps[0]);
      if (dtype == "float64" || kind == "one-sided")
        CHECK(std::abs(growth - (kind == "central" ? 2 : 1)) < 0.02);
    }
  }
  CHECK(page.number("float64, central: least error") < page.number("float64, one-sided: least error") / 100);

  for (const double error : page.numbers("engine: error")) CHECK(error < 1e-15);
  for (const double error : page.numbers("central: error")) CHECK(error > 1e-12);
  for (const double error : page.numbers("one-sided: error")) CHECK(error > 1e-9);

  // Of the committed times: n losses for a numerical gradient, a few for the others, whatever n is.
  const Numbers weights = page.numbers("the loss alone: weights");
  const Numbers loss = page.numbers("the loss alone: time (s)");
  const Numbers one_sided = page.numbers("one-sided: time (s)");
  const Numbers central = page.numbers("central: time (s)");
  for (std::size_t i = 0; i < one_sided.size(); ++i) {
    CHECK(one_sided[i] > weights[i] / 2 * loss[i]);
    CHECK(central[i] > weights[i] * loss[i]);
  }
  for (const char* const way : {"engine", "by hand"}) {
    const Numbers seconds = page.numbers(std::string(way) + ": time (s)");
    REQUIRE(seconds.size() == loss.size());
    for (std::size_t i = 0; i < seconds.size(); ++i) CHECK(seconds[i] < 5 * loss[i]);
  }
}
