#include "xtgrad/datasets/digits.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "xtgrad/autograd/errors.h"

using namespace xtgrad;

namespace {

/// The rows of the file that the library was built from.
std::vector<std::vector<int>> csv_rows() {
  std::ifstream file(XTGRAD_SOURCE_DIR "/datasets/digits/digits.csv");
  std::vector<std::vector<int>> rows;
  for (std::string line; std::getline(file, line);) {
    std::istringstream cells(line);
    rows.emplace_back();
    for (std::string cell; std::getline(cells, cell, ',');) rows.back().push_back(std::stoi(cell));
  }
  return rows;
}

}  // namespace

TEST_CASE("digits: shapes, dtypes, classes and names") {
  const datasets::Dataset data = datasets::digits();
  CHECK(data.size() == 1797);
  CHECK(data.inputs().shape() == Shape{1797, 64});
  CHECK(data.inputs().dtype() == float32);
  CHECK_FALSE(data.inputs().requires_grad());
  CHECK(data.labels().shape() == Shape{1797});
  CHECK(data.labels().dtype() == int64);
  CHECK(data.classes() == 10);
  REQUIRE(data.class_names().size() == 10);
  CHECK(data.class_names()[7] == "7");
  REQUIRE(data.feature_names().size() == 64);
  CHECK(data.feature_names()[0] == "pixel_0_0");
  CHECK(data.feature_names()[10] == "pixel_1_2");
  CHECK(data.feature_names()[63] == "pixel_7_7");
}

TEST_CASE("digits: as many of each as published") {
  CHECK(datasets::digits().class_counts() ==
        std::vector<std::int64_t>{178, 182, 177, 183, 181, 182, 181, 179, 174, 180});
}

TEST_CASE("digits: well-known pixels of the first and the last image") {
  const datasets::Dataset data = datasets::digits();
  // The zero that every introduction shows: its first two rows.
  const std::vector<double> first = {0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0};
  for (std::size_t i = 0; i < first.size(); ++i) {
    CHECK(data.inputs().at({0, static_cast<std::int64_t>(i)}) == first[i]);
  }
  CHECK(data.labels().at({0}) == 0);
  const std::vector<double> last = {0, 1, 8, 12, 14, 12, 1, 0};
  for (std::size_t i = 0; i < last.size(); ++i) {
    CHECK(data.inputs().at({-1, 56 + static_cast<std::int64_t>(i)}) == last[i]);
  }
  CHECK(data.labels().at({-1}) == 8);
}

TEST_CASE("digits: every number is that of the file") {
  const std::vector<std::vector<int>> rows = csv_rows();
  REQUIRE(rows.size() == 1797);
  const datasets::Dataset data = datasets::digits({.dtype = float64});
  const std::span<const double> pixels = data.inputs().data<double>();
  const std::span<const std::int64_t> labels = data.labels().data<std::int64_t>();
  std::int64_t differences = 0;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    REQUIRE(rows[row].size() == 65);
    for (std::size_t i = 0; i < 64; ++i) differences += pixels[row * 64 + i] != rows[row][i];
    differences += labels[row] != rows[row][64];
  }
  CHECK(differences == 0);
}

TEST_CASE("digits: the dtype is the thread's default, or the one asked for") {
  const DefaultDtype in_double(float64);
  CHECK(datasets::digits().inputs().dtype() == float64);
  const datasets::Dataset data = datasets::digits({.dtype = float32});
  CHECK(data.inputs().dtype() == float32);
  CHECK(data.inputs().at({0, 3}) == 13);
  CHECK(data.labels().dtype() == int64);
  CHECK_THROWS_WITH_AS(static_cast<void>(datasets::digits({.dtype = int64})),
                       "digits: dtype must be float32 or float64: got int64", DtypeError);
}

TEST_CASE("digits: as images the pixels keep their order") {
  const datasets::Dataset flat = datasets::digits();
  const datasets::Dataset images = datasets::digits({.image = true});
  CHECK(images.inputs().shape() == Shape{1797, 1, 8, 8});
  CHECK(images.sample_shape() == Shape{1, 8, 8});
  const std::span<const float> a = flat.inputs().data<float>();
  const std::span<const float> b = images.inputs().data<float>();
  CHECK(std::vector<float>(a.begin(), a.end()) == std::vector<float>(b.begin(), b.end()));
  CHECK(images.inputs().at({0, 0, 1, 3}) == 15);
}
