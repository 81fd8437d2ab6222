#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "tests/gallery/gallery_page.h"
#include "xtgrad/datasets/synthetic.h"

using namespace xtgrad;

namespace {

struct Point {
  double x;
  double y;
  int label;
};

std::vector<Point> points_of(const datasets::Dataset& data) {
  std::vector<Point> points;
  for (std::int64_t i = 0; i < data.size(); ++i) {
    points.push_back(
        {data.inputs().at({i, 0}), data.inputs().at({i, 1}), static_cast<int>(data.labels().at({i}))});
  }
  return points;
}

/// Of `points`, by the majority of the k nearest of `known`; k is odd, so two colours have no ties.
double percent_by_neighbors(const std::vector<Point>& known, const std::vector<Point>& points,
                            std::size_t k) {
  int correct = 0;
  for (const Point& point : points) {
    std::vector<std::pair<double, std::size_t>> nearest;
    for (std::size_t i = 0; i < known.size(); ++i) {
      nearest.emplace_back(std::pow(known[i].x - point.x, 2) + std::pow(known[i].y - point.y, 2), i);
    }
    std::sort(nearest.begin(), nearest.end());
    std::size_t ones = 0;
    for (std::size_t i = 0; i < k; ++i) ones += known[nearest[i].second].label == 1 ? 1 : 0;
    correct += (2 * ones > k) == (point.label == 1) ? 1 : 0;
  }
  return 100.0 * correct / static_cast<double>(points.size());
}

/// The most that a line can have right: of all its directions, those between two at which the order of two
/// points along it changes are alike.
double best_of_all_lines(const std::vector<Point>& points) {
  std::vector<double> turns;
  for (const Point& a : points) {
    for (const Point& b : points) {
      const double angle = std::atan2(a.x - b.x, b.y - a.y);  // at right angles to the way from a to b
      if (angle > 0) turns.push_back(angle);
    }
  }
  turns.push_back(0);
  turns.push_back(std::numbers::pi);
  std::sort(turns.begin(), turns.end());
  int best = 0;
  for (std::size_t i = 0; i + 1 < turns.size(); ++i) {
    const double angle = (turns[i] + turns[i + 1]) / 2;
    std::vector<std::pair<double, int>> along;
    for (const Point& p : points) along.emplace_back(std::cos(angle) * p.x + std::sin(angle) * p.y, p.label);
    std::sort(along.begin(), along.end());
    const int n = static_cast<int>(points.size());
    int right = static_cast<int>(std::count_if(points.begin(), points.end(), [](const Point& p) {
      return p.label == 1;
    }));  // with everything on the side of label 1
    best = std::max({best, right, n - right});
    for (const auto& [place, label] : along) {  // one point after the other changes sides
      right += label == 0 ? 1 : -1;
      best = std::max({best, right, n - right});
    }
  }
  return 100.0 * best / static_cast<double>(points.size());
}

}  // namespace

TEST_CASE("gallery 01: neighbours as in a plain loop, lines as good as lines can be, a network beyond them") {
  const testing::GalleryPage page("01_plane");
  struct Task {
    std::string name;
    std::vector<Point> train;
    std::vector<Point> test;
  };
  const std::vector<Task> tasks{
      {"moons", points_of(datasets::moons({.per_class = 60, .noise = 0.3, .seed = 0})),
       points_of(datasets::moons({.per_class = 1000, .noise = 0.3, .seed = 1}))},
      {"spirals",
       points_of(datasets::spirals({.classes = 2, .per_class = 60, .turns = 1, .noise = 0.06, .seed = 0})),
       points_of(
           datasets::spirals({.classes = 2, .per_class = 1000, .turns = 1, .noise = 0.06, .seed = 1}))}};
  for (const Task& task : tasks) {
    CAPTURE(task.name);
    const auto training = [&](const std::string& classifier) {
      return page.number(task.name + ", " + classifier + ", training (%)");
    };
    const auto test = [&](const std::string& classifier) {
      return page.number(task.name + ", " + classifier + ", test (%)");
    };
    for (const std::size_t k : {1UL, 5UL, 15UL}) {
      const std::string name = "k = " + std::to_string(k);
      CHECK(training(name) == doctest::Approx(percent_by_neighbors(task.train, task.train, k)));
      CHECK(test(name) == doctest::Approx(percent_by_neighbors(task.train, task.test, k)));
    }
    CHECK(training("k = 1") == 100);
    const double best = best_of_all_lines(task.train);
    CHECK(training("perceptron") <= best);
    CHECK(training("linear classifier") <= best);
    CHECK(training("MLP") > best);
    CHECK(test("MLP") > test("linear classifier"));
    CHECK(test("MLP") > test("perceptron"));
  }
  // Where a line is a good answer, descent finds one of the best; no line is one on spirals.
  CHECK(page.number("moons, linear classifier, training (%)") > best_of_all_lines(tasks[0].train) - 5);
  CHECK(page.number("spirals, linear classifier, test (%)") < 65);
  CHECK(page.number("spirals, MLP, test (%)") > 90);
}
