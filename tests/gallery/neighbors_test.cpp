#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/gallery/gallery_page.h"
#include "xtgrad/datasets/digits.h"
#include "xtgrad/datasets/split.h"

using namespace xtgrad;

namespace {

/// Percent of `queries` that the vote of the k nearest of `samples` tells right, in plain loops over the
/// digits, whose whole numbers make distances exact; a tie goes to the label whose nearest member is nearest.
double percent_right(const datasets::Dataset& samples, const datasets::Dataset& queries, std::size_t k) {
  const auto xs = samples.inputs().data<float>();
  const auto labels = samples.labels().data<std::int64_t>();
  const auto qs = queries.inputs().data<float>();
  const auto answers = queries.labels().data<std::int64_t>();
  int right = 0;
  for (std::size_t q = 0; q < answers.size(); ++q) {
    std::vector<std::pair<double, std::size_t>> nearest;
    for (std::size_t s = 0; s < labels.size(); ++s) {
      double distance = 0;
      for (std::size_t i = 0; i < 64; ++i) {
        const double difference = double{xs[64 * s + i]} - double{qs[64 * q + i]};
        distance += difference * difference;
      }
      nearest.emplace_back(distance, s);
    }
    std::partial_sort(nearest.begin(), nearest.begin() + static_cast<std::ptrdiff_t>(k), nearest.end());
    std::array<int, 10> votes{};
    for (std::size_t n = 0; n < k; ++n) ++votes.at(static_cast<std::size_t>(labels[nearest[n].second]));
    const int most = *std::max_element(votes.begin(), votes.end());
    for (std::size_t n = 0; n < k; ++n) {
      const std::int64_t label = labels[nearest[n].second];
      if (votes.at(static_cast<std::size_t>(label)) != most) continue;
      right += label == answers[q] ? 1 : 0;
      break;
    }
  }
  return 100.0 * right / static_cast<double>(answers.size());
}

}  // namespace

TEST_CASE("gallery 02: k is chosen on validation images, and ties go to the nearest") {
  const testing::GalleryPage page("02_neighbors");
  const auto parts = datasets::stratified_parts(datasets::digits(), {.fractions = {0.8, 0.1, 0.1}});
  const std::vector<double> validation = page.numbers("digits: validation accuracy over k (%)");
  const std::vector<std::size_t> ks{1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 15, 20, 25, 30};
  REQUIRE(validation.size() == ks.size());
  std::size_t chosen = 0;
  for (std::size_t i = 0; i < ks.size(); ++i) {
    CAPTURE(ks[i]);
    CHECK(validation[i] == doctest::Approx(percent_right(parts[0], parts[1], ks[i])));
    if (validation[i] > validation[chosen]) chosen = i;
  }
  CHECK(page.number("digits: chosen k") == static_cast<double>(ks[chosen]));
  const double pixels = page.number("digits: test accuracy by pixels (%)");
  CHECK(pixels == doctest::Approx(percent_right(parts[0], parts[2], ks[chosen])));
  CHECK(page.numbers("digits: training accuracy over k (%)")[0] == 100);
  CHECK(page.number("digits: test accuracy by features (%)") > pixels);
  // What the full run has found, on images that do not come with the source.
  const std::filesystem::path notes =
      std::filesystem::path(XTGRAD_SOURCE_DIR) / "docs/gallery/02_neighbors.json";
  const nlohmann::json numbers = nlohmann::json::parse(testing::file_text(notes))["numbers"];
  const auto gain = [&](const std::string& data) {
    return numbers[data + ": test accuracy by features (%)"].get<double>() -
           numbers[data + ": test accuracy by pixels (%)"].get<double>();
  };
  CHECK(gain("digits") > 0);
  CHECK(gain("mnist") > 1.5);
  CHECK(gain("cifar10") > 20);

  const auto off = [&](const std::string& on) {
    return page.number("k chosen on " + on + ": reported (%)") -
           page.number("k chosen on " + on + ": on fresh images (%)");
  };
  CHECK(page.number("k chosen on training: reported (%)") == 100);
  CHECK(off("training") > 2);
  CHECK(off("test") > 0.5);
  CHECK(off("validation") < 0.3);
  CHECK(off("validation") > -0.3);

  const std::string tie = "labels 1, 0, 0, 1 at distances 1, 2, 3, 4: vote of k = ";
  CHECK(page.number(tie + "2") == 1);
  CHECK(page.number(tie + "3") == 0);
  CHECK(page.number(tie + "4") == 1);
}
