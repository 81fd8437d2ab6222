#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "tests/gallery/gallery_page.h"

using namespace xtgrad;

namespace {

constexpr std::size_t hidden = 3;
constexpr std::size_t samples = 8;

/// The page's numbers sin((i + 1) f), as float32 has them.
double wave(std::size_t i, double f) {
  return double{static_cast<float>(std::sin((static_cast<double>(i) + 1) * f))};
}

/// The gradient of ½ Σ (v · tanh(U x + c) / √h + d − y)² at those numbers, in plain loops: U, c, v, d.
std::vector<double> gradient() {
  std::vector<double> w;
  for (std::size_t i = 0; i < 5 * hidden + 1; ++i) w.push_back(wave(i, 1));
  std::vector<double> g(w.size());
  const double root = std::sqrt(static_cast<double>(hidden));
  for (std::size_t s = 0; s < samples; ++s) {
    double out = w[5 * hidden];
    std::vector<double> t(hidden);
    for (std::size_t j = 0; j < hidden; ++j) {
      double z = w[3 * hidden + j];
      for (std::size_t i = 0; i < 3; ++i) z += w[3 * j + i] * wave(3 * s + i, 0.7);
      t[j] = std::tanh(z);
      out += w[4 * hidden + j] / root * t[j];
    }
    const double error = out - wave(s, 0.5);
    for (std::size_t j = 0; j < hidden; ++j) {
      const double delta = error * w[4 * hidden + j] / root * (1 - t[j] * t[j]);
      for (std::size_t i = 0; i < 3; ++i) g[3 * j + i] += delta * wave(3 * s + i, 0.7);
      g[3 * hidden + j] += delta;
      g[4 * hidden + j] += error * t[j] / root;
    }
    g[5 * hidden] += error;
  }
  return g;
}

}  // namespace

TEST_CASE("gallery 10: three ways to a gradient, and the U of a numerical one's error") {
  const testing::GalleryPage page("10_gradients");
  const std::vector<double> right = gradient();
  for (const std::string way : {"by hand", "by the engine"}) {
    const std::vector<double> found = page.numbers("gradient " + way);
    REQUIRE(found.size() == right.size());
    for (std::size_t i = 0; i < right.size(); ++i) CHECK(std::abs(found[i] - right[i]) < 1e-14);
  }
  const std::vector<double> central = page.numbers("gradient by central differences");
  for (std::size_t i = 0; i < right.size(); ++i) CHECK(std::abs(central[i] - right[i]) < 1e-8);

  for (const std::string dtype : {"float32", "float64"}) {
    for (const std::string kind : {"one-sided", "central"}) {
      CAPTURE(dtype);
      CAPTURE(kind);
      const std::string what = dtype + ", " + kind + ": ";
      // The U: its lowest point lies well below both ends, and within a factor of ten of where theory says.
      const double least = page.number(what + "least error");
      const std::vector<double> long_steps = page.numbers(what + "error at steps 0.01, 0.1");
      CHECK(least < page.number(what + "error at the smallest step") / 100);
      CHECK(least < long_steps[1] / 10);
      CHECK(std::abs(
                std::log10(page.number(what + "best step") / page.number(what + "best step in theory"))) < 1);
    }
    // Beyond it the error grows as the step, and with central differences as its square.
    const auto growth = [&](const std::string& kind) {
      const std::vector<double> errors = page.numbers("float64, " + kind + ": error at steps 0.01, 0.1");
      return errors[1] / errors[0];
    };
    CHECK(growth("one-sided") == doctest::Approx(10).epsilon(0.02));
    CHECK(growth("central") == doctest::Approx(100).epsilon(0.02));
  }
  for (const double error : page.numbers("engine: error")) CHECK(error < 1e-15);
  for (const double error : page.numbers("central: error")) CHECK(error < 1e-8);
  // As many weights more as it takes: a numerical gradient computes as many losses.
  const std::vector<double> weights = page.numbers("central: weights");
  CHECK(weights.back() > 300 * weights.front());
}
