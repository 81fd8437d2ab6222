#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "tests/gallery/gallery_page.h"
#include "xtgrad/datasets/iris.h"

using namespace xtgrad;

namespace {

/// The functions of two bits, as bits of a number, that w1 x1 + w2 x2 + b > 0 gives over a fine grid.
std::set<int> functions_of_a_line() {
  std::set<int> found;
  for (double w1 = -2; w1 <= 2; w1 += 0.25) {
    for (double w2 = -2; w2 <= 2; w2 += 0.25) {
      for (double b = -3; b <= 3; b += 0.25) {
        const std::array<double, 4> sums{b, w2 + b, w1 + b, w1 + w2 + b};
        int function = 0;
        for (std::size_t i = 0; i < 4; ++i) function |= (sums[i] > 0 ? 1 : 0) << i;
        found.insert(function);
      }
    }
  }
  return found;
}

/// What Rosenblatt's rule does with the irises' petals, in the order of the data set.
struct Counted {
  int mistakes = 0;
  int passes = 0;
  double bound = 0;
};

Counted learn_irises() {
  const Tensor inputs = datasets::iris({.dtype = float64}).inputs();
  const auto values = inputs.data<double>();
  const auto sample = [&](std::size_t i) {
    return std::array<double, 3>{values[4 * i + 2], values[4 * i + 3], 1};
  };
  const auto dot = [](const std::array<double, 3>& a, const std::array<double, 3>& b) {
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  };
  Counted counted;
  std::array<double, 3> w{};
  for (bool learnt = false; !learnt;) {
    learnt = true;
    ++counted.passes;
    for (std::size_t i = 0; i < 150; ++i) {
      const double wanted = i < 50 ? 1 : -1;
      if ((dot(w, sample(i)) > 0 ? 1 : -1) == wanted) continue;
      for (std::size_t k = 0; k < 3; ++k) w[k] += wanted * sample(i)[k];
      ++counted.mistakes;
      learnt = false;
    }
  }
  double longest = 0;
  double nearest = 1e9;
  for (std::size_t i = 0; i < 150; ++i) {
    longest = std::max(longest, dot(sample(i), sample(i)));
    nearest = std::min(nearest, (i < 50 ? 1 : -1) * dot(w, sample(i)) / std::sqrt(dot(w, w)));
  }
  counted.bound = longest / (nearest * nearest);
  return counted;
}

}  // namespace

TEST_CASE("gallery 06: a neuron decides by a threshold, needs company for XOR, and learns from mistakes") {
  const testing::GalleryPage page("06_perceptron");

  SUBCASE("three factors and a threshold") {
    const std::vector<double> sums = page.numbers("weighted sums of all eight cases");
    const std::vector<double> go = page.numbers("go, of all eight cases");
    for (std::size_t i = 0; i < 8; ++i) {
      const bool weather = (i & 4) != 0;
      const bool company = (i & 2) != 0;
      const bool transport = (i & 1) != 0;
      CHECK(sums.at(i) == (weather ? 4 : 0) + (company ? 2 : 0) + (transport ? 1 : 0));
      CHECK((go.at(i) == 1) == (weather && (company || transport)));
    }
  }

  SUBCASE("a step jumps where the others move a little") {
    const auto change = [&](const std::string& name) {
      return page.number(name + ": change for a weight of 0.501 instead of 0.5");
    };
    CHECK(change("step") == 1);
    CHECK(change("sigmoid") == doctest::Approx(1 / (1 + std::exp(-0.001)) - 0.5).epsilon(1e-9));
    CHECK(change("tanh") == doctest::Approx(std::tanh(0.001)).epsilon(1e-9));
    CHECK(change("relu") == doctest::Approx(0.001).epsilon(1e-9));
  }

  SUBCASE("gates") {
    // Two of AND's sums are exactly at the threshold, where the step is still 0.
    CHECK(page.numbers("AND: sums with the bias, of all four cases") == std::vector<double>{-1, 0, 0, 1});
    const std::set<int> functions = functions_of_a_line();
    CHECK(page.number("functions of two bits that a single neuron computes, of 16") ==
          static_cast<double>(functions.size()));
    CHECK(functions.count(0b0110) == 0);  // XOR
    CHECK(functions.count(0b0111) == 1);  // differs from it in one answer
    CHECK(page.number("XOR: right answers of the best single neuron, of 4") == 3);
  }

  SUBCASE("a hidden layer computes XOR") {
    const std::vector<double> w = page.numbers("network: layers.0.weight");
    const std::vector<double> b = page.numbers("network: layers.0.bias");
    const std::vector<double> v = page.numbers("network: layers.1.weight");
    const double c = page.numbers("network: layers.1.bias").at(0);
    for (int i = 0; i < 4; ++i) {
      const double x1 = i >> 1;
      const double x2 = i & 1;
      const double h1 = std::tanh(w.at(0) * x1 + w.at(1) * x2 + b.at(0));
      const double h2 = std::tanh(w.at(2) * x1 + w.at(3) * x2 + b.at(1));
      CHECK((v.at(0) * h1 + v.at(1) * h2 + c > 0) == (x1 != x2));
    }
    CHECK(page.number("XOR: right answers of the network, of 4") == 4);
    const auto learners = [&](const std::string& hidden) {
      return page.number("XOR: networks with " + hidden + " hidden neurons that learn it, of 20");
    };
    CHECK(learners("2") >= 1);
    CHECK(learners("2") < learners("3"));
    CHECK(learners("3") < learners("8"));
    CHECK(learners("8") == 20);
  }

  SUBCASE("mistakes, and their bound") {
    const Counted irises = learn_irises();
    CHECK(page.number("irises: mistakes") == irises.mistakes);
    CHECK(page.number("irises: passes") == irises.passes);
    CHECK(page.number("irises: bound of the mistakes") == doctest::Approx(irises.bound).epsilon(1e-9));
    CHECK(irises.mistakes <= irises.bound);
    const std::vector<double> margins = page.numbers("margins");
    const std::vector<double> made = page.numbers("mistakes made");
    const std::vector<double> bounds = page.numbers("bounds of the mistakes");
    for (std::size_t i = 0; i < margins.size(); ++i) {
      // In the square [-1, 1]², [x 1] is not longer than the root of 3.
      CHECK(bounds.at(i) <= 3 / (margins[i] * margins[i]) * (1 + 1e-12));
      CHECK(made.at(i) >= 1);
      CHECK(made.at(i) <= bounds.at(i));
    }
    CHECK(made.front() > made.back());
  }
}
