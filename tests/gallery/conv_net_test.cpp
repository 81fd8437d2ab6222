#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#include <vector>

#include "tests/gallery/gallery_page.h"

using namespace xtgrad;

namespace {

/// What a full run has noted.
nlohmann::json committed() {
  return nlohmann::json::parse(
      testing::file_text(std::filesystem::path(XTGRAD_SOURCE_DIR) / "docs/gallery/14_conv_net.json"));
}

}  // namespace

TEST_CASE("gallery 14: a conv net reads 97 % of the digits, by the mean of three seeds") {
  const testing::GalleryPage page("14_conv_net");
  double sum = 0;
  for (int seed = 0; seed < 3; ++seed) {
    const double accuracy = page.number("digits: test accuracy, seed " + std::to_string(seed) + " (%)");
    CHECK(accuracy <= 100);
    sum += accuracy;
  }
  CHECK(page.number("digits: test accuracy, mean of seeds (%)") == doctest::Approx(sum / 3));
  CHECK(sum / 3 >= 97);
}

TEST_CASE("gallery 14: the committed run reads 99.5 % of MNIST, each training in less than 15 minutes") {
  const nlohmann::json numbers = committed()["numbers"];
  CHECK(numbers["mnist: test accuracy, mean of seeds (%)"].get<double>() >= 99.5);
  for (int seed = 0; seed < 3; ++seed) {
    CHECK(numbers["mnist: training, seed " + std::to_string(seed) + " (s)"].get<double>() < 900);
  }
}

TEST_CASE("gallery 14: the committed run reads 70 % of CIFAR-10, of 4,000 images to learn from") {
  const nlohmann::json numbers = committed()["numbers"];
  CHECK(numbers["cifar10: test accuracy, seed 0 (%)"].get<double>() >= 70);
  CHECK(numbers["cifar10: training, seed 0 (s)"].get<double>() < 900);
}

TEST_CASE("gallery 14: what the committed run says of its numbers is so") {
  const nlohmann::json notes = committed();
  const nlohmann::json& numbers = notes["numbers"];
  const std::string chapter =
      testing::file_text(std::filesystem::path(XTGRAD_SOURCE_DIR) / "docs/tutorial/14_conv_net.md");
  struct Case {
    std::string data;
    std::string title;
    int tests;
    std::string with_comma;
    std::size_t seeds;
  };
  for (const Case& c :
       {Case{"mnist", "MNIST", 10000, "10,000", 3}, Case{"cifar10", "CIFAR-10", 1000, "1,000", 1}}) {
    CAPTURE(c.data);
    std::vector<double> accuracies;
    const auto of_seed = [&] {
      return c.data + ": test accuracy, seed " + std::to_string(accuracies.size()) + " (%)";
    };
    while (numbers.contains(of_seed())) accuracies.push_back(numbers[of_seed()].get<double>());
    REQUIRE(accuracies.size() == c.seeds);
    // A mean is one of several.
    const std::string mean = c.data + ": test accuracy, mean of seeds (%)";
    REQUIRE(numbers.contains(mean) == (c.seeds > 1));
    if (c.seeds > 1) {
      const double sum = std::accumulate(accuracies.begin(), accuracies.end(), 0.0);
      CHECK(numbers[mean].get<double>() == doctest::Approx(sum / static_cast<double>(c.seeds)));
    }
    const auto wrong = numbers[c.data + ": test images told wrong, seed 0"].get<int>();
    CHECK(accuracies[0] == doctest::Approx(100 - 100.0 * wrong / c.tests));
    const std::string mistakes = notes["pictures"]["14_conv_net_" + c.data + "_mistakes.png"];
    CHECK(mistakes.starts_with("24 of the " + std::to_string(wrong) +
                               " images that this net gets wrong, of " + c.with_comma + " test images."));
    const std::string curves = notes["pictures"]["14_conv_net_" + c.data + "_curves.png"];
    CHECK(curves.starts_with("Loss and accuracy on " + c.title + ", by epoch."));
    // The chapter has the same numbers, to the digits that it gives.
    for (const double accuracy : accuracies) {
      const std::string shown = fmt::format("{:.{}f}", accuracy, c.data == "mnist" ? 2 : 1);
      CHECK_MESSAGE(chapter.find(shown) != std::string::npos, shown);
    }
  }
}
