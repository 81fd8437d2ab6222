#include "xtgrad/plot/contour_lines.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

using namespace xtgrad;
using plot::detail::contour_lines;

namespace {

// Places at 0.5, 1.5 and 2.5.
const plot::Grid three{.x = {0, 3}, .y = {0, 3}, .per_row = 3, .rows = 3};

}  // namespace

TEST_CASE("a contour line stands between neighbours as their values say") {
  const std::vector<double> slope{0, 1, 2, 0, 1, 2, 0, 1, 2};
  const auto lines = contour_lines(three, slope, 0.25);
  REQUIRE(lines.size() == 1);
  REQUIRE(lines[0].size() == 3);
  for (const plot::Point& point : lines[0]) CHECK(point.x == 0.75);
  CHECK(std::abs(lines[0].front().y - lines[0].back().y) == 2);
  CHECK(contour_lines(three, slope, 5).empty());
  CHECK(contour_lines(three, slope, 0).empty());  // nothing is below it
}

TEST_CASE("a contour line around a top closes") {
  const std::vector<double> top{0, 0, 0, 0, 1, 0, 0, 0, 0};
  const auto lines = contour_lines(three, top, 0.5);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].size() == 5);
  CHECK(lines[0].front() == lines[0].back());
}

TEST_CASE("at a saddle lines keep apart on the side that its middle says") {
  const plot::Grid two{.x = {0, 2}, .y = {0, 2}, .per_row = 2, .rows = 2};
  for (const double high : {1.0, 3.0}) {
    const std::vector<double> saddle{high, 0, 0, high};
    // The mean is below 1 or above it: low corners are joined, or high ones.
    const auto lines = contour_lines(two, saddle, 0.9);
    REQUIRE(lines.size() == 2);
    for (const auto& line : lines) {
      REQUIRE(line.size() == 2);
      // A line around a corner of the diagonal of high values lies on one side of the other diagonal.
      const auto side = [](const plot::Point& p) { return p.x + p.y < 2; };
      CHECK((side(line[0]) == side(line[1])) == (high == 1));
    }
  }
}

TEST_CASE("places without a value have no lines around them, and the others keep theirs") {
  std::vector<double> slope{0, 1, 2, 0, 1, 2, 0, 1, 2};
  slope[0] = std::numeric_limits<double>::quiet_NaN();
  const auto lines = contour_lines(three, slope, 0.5);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].size() == 2);
  for (const plot::Point& point : lines[0]) CHECK(point.y >= 1.5);
}
