#include "xtgrad/datasets/iris.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/datasets/transforms.h"

using namespace xtgrad;

TEST_CASE("iris: the rows of the file that the library was built from") {
  const datasets::Dataset data = datasets::iris({.dtype = float64});
  REQUIRE(data.inputs().shape() == Shape{150, 4});
  REQUIRE(data.labels().shape() == Shape{150});
  std::ifstream file(XTGRAD_SOURCE_DIR "/datasets/iris/iris.csv");
  std::string line;
  REQUIRE(std::getline(file, line));
  CHECK(line == "150,4,setosa,versicolor,virginica");
  std::int64_t row = 0;
  for (; std::getline(file, line); ++row) {
    std::istringstream cells(line);
    std::string cell;
    for (std::int64_t i = 0; i < 4; ++i) {
      REQUIRE(std::getline(cells, cell, ','));
      CHECK(data.inputs().at({row, i}) == std::stod(cell));
    }
    REQUIRE(std::getline(cells, cell));
    CHECK(data.labels().at_int64({row}) == std::stoi(cell));
  }
  CHECK(row == 150);
}

TEST_CASE("iris: dtypes, classes, names, and the species' mean petal lengths") {
  const datasets::Dataset data = datasets::iris();
  CHECK(data.inputs().dtype() == float32);
  CHECK(data.labels().dtype() == int64);
  CHECK(data.classes() == 3);
  CHECK(data.class_counts() == std::vector<std::int64_t>{50, 50, 50});
  CHECK(data.class_names() == std::vector<std::string>{"setosa", "versicolor", "virginica"});
  CHECK(data.feature_names() ==
        std::vector<std::string>{"sepal_length", "sepal_width", "petal_length", "petal_width"});
  // As Fisher's paper has them, in cm: 1.462, 4.260, 5.552.
  for (std::int64_t species = 0; species < 3; ++species) {
    double total = 0;
    for (std::int64_t row = 50 * species; row < 50 * (species + 1); ++row)
      total += data.inputs().at({row, 2});
    CHECK(total / 50 ==
          doctest::Approx(std::vector<double>{1.462, 4.26, 5.552}[static_cast<std::size_t>(species)]));
  }
  CHECK_THROWS_WITH_AS((void)datasets::iris({.dtype = int64}), doctest::Contains("iris: "), DtypeError);
}
