#ifdef XTGRAD_HAS_CAIRO

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "tests/plot/pages.h"
#include "tests/support/message_of.h"
#include "xtgrad/plot/plot.h"
#include "xtgrad/xtgrad.h"

using namespace xtgrad;
using namespace xtgrad::testing;

namespace {

plot::Canvas draw(const plot::Chart& chart) { return plot::draw_chart(chart, {.width = 300, .height = 240}); }

plot::Chart chart_of(plot::Layer layer) {
  plot::Chart chart{.title = "t", .x = {.label = "x"}, .y = {.label = "y"}};
  chart.layers.push_back(std::move(layer));
  return chart;
}

template <class E>
std::string refusal(const plot::Chart& chart) {
  return message_of<E>([&] { return draw(chart).items().size(); });
}

std::string name_of(plot::Color color) {
  return fmt::format("#{:02x}{:02x}{:02x}", color.red, color.green, color.blue);
}

/// The grid of two places a side over the unit square.
const plot::Grid small{.x = {0, 1}, .y = {0, 1}, .per_row = 2, .rows = 2};

}  // namespace

TEST_CASE("points of a grid are the middles of its places, row after row upwards") {
  const Tensor points = plot::grid_points({.x = {0, 4}, .y = {10, 20}, .per_row = 2, .rows = 2});
  CHECK(points.dtype() == float32);
  CHECK(points.shape() == Shape{4, 2});
  CHECK(plot::numbers(points) == std::vector<double>{1, 12.5, 3, 12.5, 1, 17.5, 3, 17.5});
  CHECK(plot::grid_points(small, {.dtype = float64}).dtype() == float64);
  CHECK(plot::numbers(tensor({true, false})) == std::vector<double>{1, 0});
  CHECK(plot::numbers(full({}, 0.5, {.requires_grad = true})) == std::vector<double>{0.5});
  CHECK(plot::numbers(zeros({0, 3})).empty());
  CHECK_THROWS_WITH_AS(
      (void)plot::grid_points({.x = {1, 1}}),
      "grid_points: the grid's range of x must be finite, low below high: low is 1, high is 1", ValueError);
  CHECK_THROWS_WITH_AS(
      (void)plot::grid_points({.y = {0, testing::nan}}),
      "grid_points: the grid's range of y must be finite, low below high: low is 0, high is nan", ValueError);
  CHECK_THROWS_WITH_AS((void)plot::grid_points({.rows = 1}),
                       "grid_points: a grid has 2 rows and columns or more: got 1 rows, 200 columns",
                       ValueError);
}

TEST_CASE("places of a logarithmic grid are multiples of each other, and as wide as each other on its axis") {
  const plot::Grid decades{.x = {0.01, 100}, .y = {0, 1}, .per_row = 4, .rows = 2, .logarithmic_x = true};
  const Tensor x = slice(plot::grid_points(decades, {.dtype = float64}), {.axis = 1, .stop = 1});
  for (std::int64_t i = 0; i < 4; ++i) {
    CHECK(x.at({i, 0}) == doctest::Approx(std::pow(10, static_cast<double>(i) - 1.5)));
  }
  CHECK_THROWS_WITH_AS((void)plot::grid_points({.x = {0, 1}, .logarithmic_x = true}),
                       "grid_points: a logarithmic grid begins above 0: its x goes from 0 to 1", ValueError);

  // The contour of 1 of a value that is x lies where the axis has 1: in the middle.
  plot::Chart chart =
      chart_of(plot::Contours{.grid = decades, .values = reshape(log(x), {8}), .levels = {0}});
  chart.x.logarithmic = true;
  double middle = 0;
  for (const plot::Line& line : all<plot::Line>(draw(chart))) {
    if (line.color == plot::level_map(0)) middle = line.points.front().x;
  }
  plot::Grid columns = decades;
  columns.logarithmic_x = false;
  columns.x = {-2, 2};  // log10 of the other's
  plot::Chart linear =
      chart_of(plot::Contours{.grid = columns, .values = reshape(log(x), {8}), .levels = {0}});
  double expected = 0;
  for (const plot::Line& line : all<plot::Line>(draw(linear))) {
    if (line.color == plot::level_map(0)) expected = line.points.front().x;
  }
  CHECK(expected > 0);
  CHECK(middle == doctest::Approx(expected));
}

TEST_CASE("regions fill the plane with their classes' pale colours, the first row at the bottom") {
  const Tensor classes = tensor({0, 1, 2, 1}, {.dtype = int64});
  plot::Chart chart = chart_of(plot::Regions{.grid = small, .classes = classes, .names = {"a", "b", "c"}});
  const std::vector<plot::Picture> pictures = all<plot::Picture>(draw(chart));
  REQUIRE(pictures.size() == 1);
  const auto pale = [](std::size_t i) { return plot::mix(plot::series_color(i), plot::white, 0.7); };
  CHECK(pictures[0].pixels.colors == std::vector<plot::Color>{pale(2), pale(1), pale(0), pale(1)});
  for (const char* name : {"a", "b", "c"}) CHECK(has_text(draw(chart), name));
  // [rows, columns] is the same picture.
  std::get<plot::Regions>(chart.layers[0]).classes = reshape(classes, {2, 2});
  CHECK(all<plot::Picture>(draw(chart)) == pictures);
  // The picture ends where the axes do, and an axis that ends elsewhere cuts it off.
  chart.x.range = plot::Range{0, 0.5};
  const std::vector<plot::Picture> half = all<plot::Picture>(draw(chart));
  REQUIRE(half.size() == 1);
  CHECK(half[0].pixels.colors == std::vector<plot::Color>{pale(2), pale(0)});
  CHECK(half[0].rect.x == doctest::Approx(pictures[0].rect.x));
  CHECK(half[0].rect.width == doctest::Approx(pictures[0].rect.width));
}

TEST_CASE("points of a class have the colour of its region, and a shape of their own") {
  const Tensor points = tensor({{0.25, 0.25}, {0.75, 0.75}, {0.5, 0.5}});
  const Tensor labels = tensor({1, 0, 1}, {.dtype = int64});
  const std::vector<std::string> names{"a", "b"};
  plot::Chart chart{.layers = plot::class_points(points, labels, names)};
  REQUIRE(chart.layers.size() == 2);
  CHECK(std::get<plot::Points>(chart.layers[1]).x == std::vector<double>{0.25, 0.5});
  chart.layers.push_back(
      plot::Regions{.grid = small, .classes = tensor({0, 1, 0, 1}, {.dtype = int64}), .names = names});
  const plot::Canvas canvas = draw(chart);
  int discs = 0;
  int squares = 0;
  for (const plot::Disc& disc : all<plot::Disc>(canvas)) discs += disc.fill == plot::series_color(0) ? 1 : 0;
  for (const plot::Polygon& polygon : all<plot::Polygon>(canvas))
    squares += polygon.fill == plot::series_color(1) && polygon.points.size() == 4 ? 1 : 0;
  CHECK(discs == 1 + 1);  // a point and the legend's
  CHECK(squares == 2 + 1);
  CHECK_THROWS_WITH_AS((void)plot::class_points(ones({3}), labels),
                       "class_points: points must be [n, 2]: got [3]", ShapeError);
  CHECK_THROWS_WITH_AS((void)plot::class_points(points, ones({3})),
                       "class_points: labels must be int64: got float32", DtypeError);
  CHECK_THROWS_WITH_AS((void)plot::class_points(ones({2, 2}), labels),
                       "class_points: points and labels differ in number: points are [2, 2], labels are [3]",
                       ShapeError);
  CHECK_THROWS_WITH_AS((void)plot::class_points(points, labels, std::span(names).first(1)),
                       "class_points: a label is outside of 1 classes: 1", ValueError);
  CHECK(plot::class_points(zeros({0, 2}), zeros({0}, {.dtype = int64})).empty());
  // Half as large, but in the legend.
  chart.layers = plot::class_points(points, labels, names, 0.5);
  std::vector<double> radii;
  for (const plot::Disc& disc : all<plot::Disc>(draw(chart))) {
    if (disc.fill == plot::series_color(0)) radii.push_back(disc.radius);
  }
  REQUIRE(radii.size() == 2);
  CHECK(std::ranges::max(radii) == doctest::Approx(2 * std::ranges::min(radii)));
}

TEST_CASE("no two of 42 labels have points of one shape and colour") {
  plot::Chart chart;
  for (int i = 0; i < 42; ++i)
    chart.layers.emplace_back(plot::Points{.label = std::to_string(i), .x = {1.0 * i}, .y = {0.5 * i}});
  const plot::Canvas canvas = plot::draw_chart(chart, {.width = 600, .height = 600});
  // Shapes by their corners, of which a disc has none; a diamond's first one is straight above its middle.
  std::vector<std::string> looks;
  for (const plot::Disc& disc : all<plot::Disc>(canvas)) {
    if (disc.fill != plot::white) looks.push_back("disc " + name_of(disc.fill));
  }
  for (const plot::Polygon& polygon : all<plot::Polygon>(canvas)) {
    if (polygon.fill == plot::white) continue;
    const auto highest = std::ranges::min_element(polygon.points, {}, &plot::Point::y);
    const bool upright = highest == polygon.points.begin() &&
                         std::ranges::count_if(polygon.points, [&](const plot::Point& point) {
                           return std::abs(point.y - highest->y) < 1e-6;
                         }) == 1;
    looks.push_back(std::to_string(polygon.points.size()) + (upright ? " upright " : " ") +
                    name_of(polygon.fill));
  }
  CHECK(looks.size() == 84);  // each in the chart and in the legend
  CHECK(std::set<std::string>(looks.begin(), looks.end()).size() == 42);
}

TEST_CASE("the level stands on the line that gets farthest, not on the one of most turns") {
  // Above 0.5 right of a straight line, and in a small ragged island of many corners.
  const plot::Grid grid{.x = {0, 1}, .y = {0, 1}, .per_row = 60, .rows = 60};
  std::vector<double> values(3600, 0.0);
  for (std::size_t row = 0; row < 60; ++row) {
    for (std::size_t column = 0; column < 60; ++column) {
      const bool in_island = column >= 4 && column < 24 && row >= 20 && row < 40;
      if (column >= 40 || (in_island && (row % 2 == 0 || column == 4))) values[60 * row + column] = 1;
    }
  }
  const plot::Chart chart =
      chart_of(plot::Contours{.grid = grid, .values = from_vector(values), .levels = {0.5}});
  double left = 300;
  double right = 0;
  for (const plot::Line& line : all<plot::Line>(draw(chart))) {
    if (line.color != plot::level_map(0)) continue;
    for (const plot::Point& point : line.points) {
      left = std::min(left, point.x);
      right = std::max(right, point.x);
    }
  }
  for (const plot::Text& text : all<plot::Text>(draw(chart))) {
    if (text.text == "0.5" && text.style.size == 9) CHECK(text.at.x > (left + right) / 2);
  }
}

TEST_CASE("the level on a contour line keeps out of the way of a path") {
  const plot::Grid grid{.x = {0, 1}, .y = {0, 1}, .per_row = 51, .rows = 51};
  const Tensor across = slice(plot::grid_points(grid, {.dtype = float64}), {.axis = 1, .stop = 1});
  plot::Chart chart =
      chart_of(plot::Contours{.grid = grid, .values = reshape(across, {51 * 51}), .levels = {0.5}});
  const auto label_of = [&] {
    for (const plot::Text& text : all<plot::Text>(draw(chart))) {
      if (text.text == "0.5" && text.style.size == 9) return text.at;
    }
    return plot::Point{};
  };
  const plot::Point free = label_of();
  // A path through the middle of the line, where its label was.
  chart.layers.push_back(plot::Series{.label = "path", .x = {0.1, 0.9}, .y = {0.5, 0.5}});
  const plot::Point aside = label_of();
  CHECK(aside.x == doctest::Approx(free.x));
  CHECK(std::abs(aside.y - free.y) > 10);
  std::get<plot::Series>(chart.layers.back()).shown = 1;  // it will get there
  CHECK(label_of() == aside);
  // With paths everywhere it stays where it is best.
  plot::Series everywhere{.label = "path"};
  for (int i = 0; i <= 200; ++i) {
    everywhere.x.push_back(i % 2);
    everywhere.y.push_back(i / 200.0);
  }
  chart.layers.back() = everywhere;
  CHECK(label_of().y == doctest::Approx(free.y));
}

TEST_CASE("contour lines run where the function has their level, with the level on them") {
  const plot::Grid grid{.x = {-2, 2}, .y = {-2, 2}, .per_row = 101, .rows = 101};
  const Tensor points = plot::grid_points(grid, {.dtype = float64});
  plot::Chart chart =
      chart_of(plot::Contours{.grid = grid, .values = sum(square(points), {.axes = {1}}), .levels = {1}});
  const plot::Canvas canvas = draw(chart);
  std::vector<plot::Line> circles = all<plot::Line>(canvas);
  std::erase_if(circles, [](const plot::Line& line) { return line.color != plot::level_map(0); });
  REQUIRE(circles.size() == 1);
  CHECK(circles[0].points.front() == circles[0].points.back());
  // The frame of the axes tells where -2 and 2 are.
  plot::Rect area{};
  for (const plot::Line& line : all<plot::Line>(canvas)) {
    if (line.points.size() == 3)
      area = {line.points[0].x, line.points[0].y, line.points[2].x - line.points[0].x,
              line.points[1].y - line.points[0].y};
  }
  for (const plot::Point& point : circles[0].points) {
    const double x = (point.x - area.center().x) / area.width * 4;
    const double y = (point.y - area.center().y) / area.height * 4;
    CHECK(std::hypot(x, y) == doctest::Approx(1).epsilon(0.001));
  }
  CHECK(has_text(canvas, "1"));
  // Without levels there are round ones between the ends, evenly spaced by their logarithms if asked for.
  auto& contours = std::get<plot::Contours>(chart.layers[0]);
  contours.levels.clear();
  CHECK(has_text(draw(chart), "2"));
  contours.logarithmic = true;
  CHECK(has_text(draw(chart), "0.1"));
  // What has no value has no lines, and a plane that is flat has none.
  contours.values = full({101, 101}, testing::nan);
  CHECK(refusal<Error>(chart) == "no such error");
  contours.values = ones({101, 101});
  CHECK(refusal<Error>(chart) == "no such error");
}

TEST_CASE("a path is cut off where its axes end, and has marks at its ends") {
  plot::Chart chart = chart_of(plot::Series{
      .label = "path", .x = {0.5, 0.5, 3, 0.2}, .y = {0.5, 3, 0.5, 0.2}, .markers = false, .ends = true});
  chart.x.range = chart.y.range = plot::Range{0, 1};
  const plot::Canvas canvas = draw(chart);
  std::vector<plot::Line> pieces = all<plot::Line>(canvas);
  std::erase_if(pieces, [](const plot::Line& line) { return line.color != plot::series_color(0); });
  REQUIRE(pieces.size() == 2);  // it leaves at the top and comes back from the right
  CHECK(pieces[0].points.size() == 2);
  const double top = pieces[0].points[1].y;
  const double right = pieces[1].points[0].x;
  for (const plot::Line& piece : pieces) {
    for (const plot::Point& point : piece.points) {
      CHECK(point.y >= top - 1e-4);
      CHECK(point.x <= right + 1e-4);
    }
  }
  CHECK(all<plot::Disc>(canvas).size() == 4);  // a ring and a disc with a rim
}

TEST_CASE("a series that is shown in part stands where it will when it is shown whole") {
  plot::Chart chart = chart_of(plot::Series{.label = "s", .x = {0, 1, 2, 4}, .y = {0, 2, 1, 3}});
  const auto line_of = [&] {
    for (const plot::Line& line : all<plot::Line>(draw(chart))) {
      if (line.color == plot::series_color(0) && line.points.size() > 2) return line.points;
    }
    return std::vector<plot::Point>{};
  };
  const std::vector<plot::Point> whole = line_of();
  REQUIRE(whole.size() == 4);
  auto& series = std::get<plot::Series>(chart.layers[0]);
  series.shown = 3;
  CHECK(line_of() == std::vector<plot::Point>(whole.begin(), whole.begin() + 3));
  series.shown = 9;
  CHECK(line_of() == whole);
  series.shown = 0;
  CHECK(refusal<ValueError>(chart) == "draw_charts: a series shows a point or more: \"s\" shows 0");
}

TEST_CASE("both axes may be logarithmic") {
  plot::Chart chart = chart_of(plot::Series{.label = "a", .x = {1, 10, 100}, .y = {1, 100, 10000}});
  chart.x.logarithmic = chart.y.logarithmic = true;
  std::vector<plot::Line> lines = all<plot::Line>(draw(chart));
  std::erase_if(lines, [](const plot::Line& line) { return line.color != plot::series_color(0); });
  REQUIRE(lines.size() == 1);
  const std::vector<plot::Point>& points = lines[0].points;
  CHECK(points[1].x - points[0].x == doctest::Approx(points[2].x - points[1].x));
  CHECK(points[1].y - points[0].y == doctest::Approx(points[2].y - points[1].y));
}

TEST_CASE("equal units are as long upwards as to the right") {
  plot::Chart chart = chart_of(plot::Series{.label = "a", .x = {0, 1, 1}, .y = {0, 0, 1}});
  chart.equal_units = true;
  std::vector<plot::Line> lines = all<plot::Line>(draw(chart));
  std::erase_if(lines, [](const plot::Line& line) { return line.color != plot::series_color(0); });
  REQUIRE(lines.size() == 1);
  const std::vector<plot::Point>& points = lines[0].points;
  CHECK(points[1].x - points[0].x == doctest::Approx(points[1].y - points[2].y));
}

TEST_CASE("charts stand in rows, and a page that is too small says what is left") {
  const std::vector<plot::Chart> charts(4, chart_of(plot::Series{.x = {0, 1}, .y = {0, 1}}));
  const plot::Canvas canvas =
      plot::draw_charts(charts, {.width = 400, .height = 400, .per_row = 2, .title = "All"});
  std::vector<double> tops;
  for (const plot::Text& text : all<plot::Text>(canvas)) {
    if (text.text == "t") tops.push_back(text.at.y);
  }
  REQUIRE(tops.size() == 4);
  CHECK(tops[0] == tops[1]);
  CHECK(tops[2] > tops[1] + 100);
  CHECK(has_text(canvas, "All"));
  // What is left depends on the font.
  const std::string message = message_of<ValueError>(
      [&] { return plot::draw_charts(charts, {.width = 100, .height = 400}).size().width; });
  CHECK(message.starts_with("draw_charts: a chart needs 40 x 40 points between its axes: -"));
  CHECK(message.ends_with(" are left on a page of 100 x 400"));
  CHECK_THROWS_WITH_AS((void)plot::draw_charts(charts, {.per_row = -1}),
                       "draw_charts: per_row must be 0 or more: got -1", ValueError);
}

TEST_CASE("layers that cannot be drawn are refused by name, with both values") {
  CHECK(refusal<ValueError>({.title = "none"}) == "draw_charts: a chart needs a layer: \"none\" has none");
  CHECK(refusal<ShapeError>(chart_of(plot::Points{.label = "p", .x = {1}, .y = {}})) ==
        "draw_charts: x and y of points \"p\" differ in length: 1 and 0");
  for (const double size : {0.0, -1.0, testing::nan, testing::inf}) {
    CHECK(refusal<ValueError>(chart_of(plot::Points{.label = "p", .x = {1}, .y = {1}, .size = size})) ==
          "draw_charts: the size of points must be finite and above 0: \"p\" have " +
              fmt::format("{}", size));
  }
  CHECK(refusal<ValueError>(chart_of(plot::Series{.label = "s"})) ==
        "draw_charts: a layer needs a point: series \"s\" has 0");
  plot::Chart chart = chart_of(plot::Series{.label = "s", .x = {1, 2}, .y = {3, 0}});
  chart.y.logarithmic = true;
  CHECK(refusal<ValueError>(chart) ==
        "draw_charts: a logarithmic axis shows numbers above 0: y[1] of series \"s\" is 0");
  chart.y = {.logarithmic = true, .range = plot::Range{0, 1}};
  std::get<plot::Series>(chart.layers[0]).y = {3, 1};
  CHECK(refusal<ValueError>(chart) == "draw_charts: a logarithmic axis begins above 0: y goes from 0 to 1");
  chart.y = {.range = plot::Range{testing::nan, 1}};
  CHECK(refusal<ValueError>(chart) ==
        "draw_charts: the range of y must be finite, low below high: low is nan, high is 1");
  chart.y = {.categories = {"a"}};
  CHECK(refusal<ValueError>(chart) == "draw_charts: only x has categories: y has 1");
  chart = chart_of(plot::Series{.label = "s", .x = {1, 2}, .y = {3, 1}});
  chart.x.logarithmic = chart.equal_units = true;
  CHECK(refusal<ValueError>(chart) ==
        "draw_charts: equal units need axes that are not logarithmic: one is, in \"t\"");

  CHECK(refusal<ShapeError>(chart_of(plot::Bars{.label = "b", .heights = {1, 2}})) ==
        "draw_charts: bars \"b\" and categories of x differ in number: 2 and 0");
  CHECK(refusal<ValueError>(chart_of(plot::Bars{.label = "b"})) ==
        "draw_charts: a layer needs a bar: bars \"b\" have 0");
  chart = chart_of(plot::Bars{.heights = {1}});
  chart.x.categories = {"a"};
  chart.y.logarithmic = true;
  CHECK(refusal<ValueError>(chart) ==
        "draw_charts: bars stand on 0, which a logarithmic axis has not: y is one, in \"t\"");
}

TEST_CASE("layers of a grid that cannot be drawn are refused by name, with both values") {
  const Tensor classes = zeros({4}, {.dtype = int64});
  CHECK(refusal<ShapeError>(chart_of(plot::Regions{.grid = small})) ==
        "draw_charts: regions need classes: got none");
  CHECK(refusal<DtypeError>(chart_of(plot::Regions{.grid = small, .classes = ones({4})})) ==
        "draw_charts: classes of regions must be int64: got float32");
  CHECK(
      refusal<ShapeError>(chart_of(plot::Regions{.grid = small, .classes = zeros({5}, {.dtype = int64})})) ==
      "draw_charts: classes must be [4] or [2, 2], as the grid is: got [5]");
  CHECK(refusal<ValueError>(chart_of(
            plot::Regions{.grid = small, .classes = full({4}, 2, {.dtype = int64}), .names = {"a", "b"}})) ==
        "draw_charts: a class is outside of 2 classes: 2");
  CHECK(refusal<ValueError>(chart_of(plot::Regions{.grid = {.x = {1, 0}}, .classes = classes})) ==
        "draw_charts: the grid's range of x must be finite, low below high: low is 1, high is 0");
  CHECK(refusal<ShapeError>(chart_of(plot::Contours{.grid = small})) ==
        "draw_charts: contours need values: got none");
  CHECK(refusal<ShapeError>(chart_of(plot::Contours{.grid = small, .values = ones({2})})) ==
        "draw_charts: values must be [4] or [2, 2], as the grid is: got [2]");
  CHECK(refusal<ValueError>(chart_of(plot::Contours{.grid = small, .values = ones({4}), .count = 2})) ==
        "draw_charts: contours have 3 levels or more: count is 2");
  CHECK(refusal<ValueError>(chart_of(plot::Contours{.grid = small, .values = ones({4}), .levels = {inf}})) ==
        "draw_charts: a contour's level must be finite: got inf");
  plot::Chart chart = chart_of(plot::Contours{.grid = small, .values = ones({4})});
  chart.x.logarithmic = true;
  CHECK(refusal<ValueError>(chart) ==
        "draw_charts: a grid is logarithmic where its axis is: x is linear, the axis \"x\" is logarithmic");
  plot::Grid upwards{.x = {0, 1}, .y = {1, 2}, .per_row = 2, .rows = 2, .logarithmic_y = true};
  CHECK(refusal<ValueError>(chart_of(plot::Contours{.grid = upwards, .values = ones({4})})) ==
        "draw_charts: a grid is logarithmic where its axis is: y is logarithmic, the axis \"y\" is linear");
  upwards.y.low = 0;
  CHECK(refusal<ValueError>(chart_of(plot::Contours{.grid = upwards, .values = ones({4})})) ==
        "draw_charts: a logarithmic grid begins above 0: its y goes from 0 to 2");
}

#endif
