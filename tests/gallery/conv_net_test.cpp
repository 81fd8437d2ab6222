#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/gallery/gallery_page.h"

using namespace xtgrad;

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
  const nlohmann::json notes = nlohmann::json::parse(
      testing::file_text(std::filesystem::path(XTGRAD_SOURCE_DIR) / "docs/gallery/14_conv_net.json"));
  const nlohmann::json& numbers = notes["numbers"];
  CHECK(numbers["mnist: test accuracy, mean of seeds (%)"].get<double>() >= 99.5);
  for (int seed = 0; seed < 3; ++seed) {
    CHECK(numbers["mnist: training, seed " + std::to_string(seed) + " (s)"].get<double>() < 900);
  }
}
