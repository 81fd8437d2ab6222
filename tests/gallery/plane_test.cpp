#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/gallery/gallery_page.h"
#include "xtgrad/datasets/synthetic.h"

using namespace xtgrad;

namespace {

/// Percent of `test` that has the label of most of the k nearest points of `train`; k is odd, so with two
/// classes there is no tie.
double percent_by_neighbors(const datasets::Dataset& train, const datasets::Dataset& test, std::size_t k) {
  const auto points = train.inputs().data<float>();
  const auto labels = train.labels().data<std::int64_t>();
  const auto others = test.inputs().data<float>();
  const auto right = test.labels().data<std::int64_t>();
  int correct = 0;
  for (std::size_t i = 0; i < right.size(); ++i) {
    std::vector<std::pair<double, std::size_t>> nearest;
    for (std::size_t j = 0; j < labels.size(); ++j) {
      const double dx = double{points[2 * j]} - double{others[2 * i]};
      const double dy = double{points[2 * j + 1]} - double{others[2 * i + 1]};
      nearest.emplace_back(dx * dx + dy * dy, j);
    }
    std::sort(nearest.begin(), nearest.end());
    std::size_t ones = 0;
    for (std::size_t n = 0; n < k; ++n) ones += labels[nearest[n].second] == 1 ? 1 : 0;
    correct += (2 * ones > k) == (right[i] == 1) ? 1 : 0;
  }
  return 100.0 * correct / static_cast<double>(right.size());
}

}  // namespace

TEST_CASE("gallery 01: neighbours are those of a plain loop, and only a network bends its border") {
  const testing::GalleryPage page("01_plane");
  const datasets::Dataset moons = datasets::moons({.per_class = 60, .noise = 0.3, .seed = 0});
  const datasets::Dataset more = datasets::moons({.per_class = 1000, .noise = 0.3, .seed = 1});
  const datasets::Dataset arms =
      datasets::spirals({.classes = 2, .per_class = 60, .turns = 1, .noise = 0.06, .seed = 0});
  const datasets::Dataset more_arms =
      datasets::spirals({.classes = 2, .per_class = 1000, .turns = 1, .noise = 0.06, .seed = 1});
  for (const std::size_t k : {1U, 5U, 15U}) {
    CAPTURE(k);
    const std::string by = ", k = " + std::to_string(k);
    CHECK(page.number("moons" + by + ", training (%)") ==
          doctest::Approx(percent_by_neighbors(moons, moons, k)));
    CHECK(page.number("moons" + by + ", test (%)") == doctest::Approx(percent_by_neighbors(moons, more, k)));
    CHECK(page.number("spirals" + by + ", test (%)") ==
          doctest::Approx(percent_by_neighbors(arms, more_arms, k)));
  }
  CHECK(page.number("moons, k = 1, training (%)") == 100);
  CHECK(page.number("moons, k = 1, test (%)") < page.number("moons, k = 15, test (%)"));
  for (const std::string line : {"perceptron", "linear classifier"}) {
    CHECK(page.number("moons, " + line + ", test (%)") > 75);
    CHECK(page.number("spirals, " + line + ", test (%)") < 65);  // no line does much better than a coin
  }
  CHECK(page.number("moons, MLP, test (%)") > page.number("moons, linear classifier, test (%)"));
  CHECK(page.number("spirals, MLP, test (%)") > 90);
}
