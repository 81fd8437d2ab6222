// Data at the edges of what a chart can show.

#ifdef XTGRAD_HAS_CAIRO

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "tests/plot/pages.h"
#include "xtgrad/plot/image_page.h"
#include "xtgrad/plot/plot.h"
#include "xtgrad/plot/scale.h"
#include "xtgrad/plot/svg.h"
#include "xtgrad/plot/text.h"
#include "xtgrad/plot/ticks.h"
#include "xtgrad/xtgrad.h"

using namespace xtgrad;
using namespace xtgrad::testing;

namespace {

using Labels = std::vector<std::string>;
using Ticks = std::vector<double>;

plot::Canvas draw(const plot::Chart& chart) { return plot::draw_chart(chart, {.width = 300, .height = 240}); }

plot::Chart chart_of(plot::Layer layer) {
  plot::Chart chart{.title = "t", .x = {.label = "x"}, .y = {.label = "y"}};
  chart.layers.push_back(std::move(layer));
  return chart;
}

const plot::Grid small{.x = {0, 1}, .y = {0, 1}, .per_row = 2, .rows = 2};

/// The lines of contours in their levels' order: those of the axes are left out.
std::vector<plot::Line> contour_lines_of(const plot::Canvas& canvas) {
  std::vector<plot::Line> lines = all<plot::Line>(canvas);
  std::erase_if(lines, [](const plot::Line& line) { return line.width != 1.3; });
  return lines;
}

/// The frame of the axes.
plot::Rect area_of(const plot::Canvas& canvas) {
  for (const plot::Line& line : all<plot::Line>(canvas)) {
    if (line.points.size() == 3 && line.points[0].x == line.points[1].x) {
      return {line.points[0].x, line.points[0].y, line.points[2].x - line.points[0].x,
              line.points[1].y - line.points[0].y};
    }
  }
  return {};
}

}  // namespace

TEST_CASE("a logarithmic axis within a decade has linear ticks, and none far above its data") {
  CHECK(plot::detail::log_ticks({3, 4}) == Ticks{3, 3.2, 3.4, 3.6, 3.8, 4});
  CHECK(plot::detail::log_ticks({2.1, 4.9}).front() == 2);
  CHECK(plot::detail::log_ticks({2.1, 4.9}).back() == 5);
  CHECK(plot::detail::log_ticks({1.5, 15}) == Ticks{1, 2, 5, 10, 20});
  CHECK(plot::detail::log_ticks({0.15, 0.3}).front() > 0);
  plot::Chart chart = chart_of(plot::Series{.x = {3, 3.5, 4}, .y = {2.1, 3, 4.9}});
  chart.x.logarithmic = chart.y.logarithmic = true;
  const plot::Canvas canvas = draw(chart);
  CHECK(has_text(canvas, "3.4"));
  CHECK(has_text(canvas, "5"));
  CHECK(!has_text(canvas, "10"));
  plot::Contours contours{
      .grid = small, .values = tensor({2.1, 4.9, 2.1, 4.9}, {.dtype = float64}), .logarithmic = true};
  CHECK(!contour_lines_of(draw(chart_of(contours))).empty());
}

TEST_CASE("neighbouring levels and the ends of a colour bar have labels of their own") {
  CHECK(plot::detail::short_labels({100.1, 100.3, 100.5}) == Labels{"100.1", "100.3", "100.5"});
  CHECK(plot::detail::short_labels({1000.1, 1000.25, 1000.4}) == Labels{"1000.1", "1000.2", "1000.4"});
  CHECK(plot::detail::short_labels({1, 1.5, 1000}) == Labels{"1", "1.5", "1000"});
  CHECK(plot::detail::short_labels({}).empty());
  const plot::Canvas map =
      plot::draw_heat_map({.values = tensor({{1000.1, 1000.4}}, {.dtype = float64}), .numbers = false});
  CHECK(has_text(map, "1000.1"));
  CHECK(has_text(map, "1000.4"));
  plot::Contours contours{.grid = small, .values = tensor({100.1, 100.9, 100.1, 100.9}, {.dtype = float64})};
  const plot::Canvas canvas = draw(chart_of(contours));
  CHECK(!has_text(canvas, "100"));
  CHECK(has_text(canvas, "100.4"));
}

TEST_CASE("a plane that is flat but for rounding has no contours") {
  const plot::Contours contours{.grid = small,
                                .values = tensor({1.0, 1 + 1e-13, 1.0, 1.0}, {.dtype = float64})};
  CHECK(contour_lines_of(draw(chart_of(contours))).empty());
}

TEST_CASE("numbers too large for an axis are left out, and no place on a page is infinite") {
  const plot::Canvas canvas = draw(chart_of(plot::Series{.x = {1, 2, 3}, .y = {1, 1e301, 2}}));
  CHECK(has_text(canvas, "2.0"));
  plot::Chart chart = chart_of(plot::Series{.x = {0, 1, 2, 3}, .y = {0, 1e305, 1e307, 1e299}});
  chart.y.range = plot::Range{0, 1};
  for (const plot::Line& line : all<plot::Line>(draw(chart))) {
    for (const plot::Point& point : line.points) CHECK(std::isfinite(point.x + point.y));
  }
  // Its shares of the axis are beyond a double.
  chart.y.range = plot::Range{0, 1e-200};
  std::get<plot::Series>(chart.layers[0]).y = {0, 1e200, 1e250, 0};
  for (const plot::Line& line : all<plot::Line>(draw(chart))) {
    for (const plot::Point& point : line.points) CHECK(std::isfinite(point.x + point.y));
  }
}

TEST_CASE("hundreds of bars have a width") {
  plot::Chart chart = chart_of(plot::Bars{.heights = std::vector<double>(600, 1.0)});
  chart.x.categories = std::vector<std::string>(600, "a");
  const std::vector<plot::Box> bars = all<plot::Box>(draw(chart));
  REQUIRE(bars.size() == 600);
  for (const plot::Box& bar : bars) CHECK(bar.rect.width > 0);
}

TEST_CASE("the legend has markers where the chart has them") {
  std::vector<double> many(26);
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = static_cast<double>(i);
  plot::Chart chart = chart_of(plot::Series{.label = "a", .x = many, .y = many});
  chart.layers.push_back(plot::Series{.label = "b", .x = {0, 1}, .y = {1, 2}, .markers = false});
  CHECK(all<plot::Disc>(draw(chart)).empty());
  std::get<plot::Series>(chart.layers[1]).markers = true;
  CHECK(all<plot::Disc>(draw(chart)).size() == std::size_t{3} * 2);  // hollow ones, of two discs
}

TEST_CASE("regions reach to the ends of the axes, and no further") {
  const plot::Grid grid{.x = {-1, 1}, .y = {-1, 1}, .per_row = 2, .rows = 2};
  for (const double low : {-0.4, -0.6}) {
    plot::Chart chart =
        chart_of(plot::Regions{.grid = grid, .classes = tensor({0, 1, 2, 3}, {.dtype = int64})});
    chart.x.range = plot::Range{low, 1};
    const plot::Canvas canvas = draw(chart);
    const plot::Rect area = area_of(canvas);
    double covered = 0;
    for (const plot::Picture& picture : all<plot::Picture>(canvas)) {
      CHECK(picture.rect.x >= area.x - 1e-6);
      CHECK(picture.rect.right() <= area.right() + 1e-6);
      covered += picture.rect.width * picture.rect.height;
    }
    CHECK(covered == doctest::Approx(area.width * area.height));
  }
}

TEST_CASE("levels have their colours by their order as numbers") {
  const Tensor values = tensor({0.0, 1.0, 0.0, 1.0}, {.dtype = float64});
  const plot::Canvas sorted =
      draw(chart_of(plot::Contours{.grid = small, .values = values, .levels = {0.2, 0.5, 0.8}}));
  const plot::Canvas mixed =
      draw(chart_of(plot::Contours{.grid = small, .values = values, .levels = {0.8, 0.2, 0.5}}));
  REQUIRE(contour_lines_of(sorted).size() == 3);
  CHECK(contour_lines_of(mixed) == contour_lines_of(sorted));
}

TEST_CASE("a ring smaller than its label has none") {
  const plot::Grid grid{.x = {-2, 2}, .y = {-2, 2}, .per_row = 101, .rows = 101};
  const Tensor values = sum(square(plot::grid_points(grid, {.dtype = float64})), {.axes = {1}});
  const plot::Canvas canvas =
      draw(chart_of(plot::Contours{.grid = grid, .values = values, .levels = {0.0025, 2.25}}));
  CHECK(contour_lines_of(canvas).size() == 2);
  CHECK(!has_text(canvas, "0.0025"));
  CHECK(has_text(canvas, "2.25"));
}

TEST_CASE("a heat map of more cells than a page is refused, with the pages that draw it") {
  CHECK_THROWS_WITH_AS((void)plot::draw_heat_map({.values = zeros({1, 1001})}),
                       "draw_heat_map: a table has 1000 rows and columns at most, draw_images draws more: "
                       "got [1, 1001]",
                       ValueError);
  CHECK_THROWS_AS((void)plot::draw_heat_map({.values = zeros({1001, 1})}), ValueError);
}

TEST_CASE("names of axes that are longer than their page are shortened") {
  const std::string endless(400, 'n');
  plot::Chart chart = chart_of(plot::Series{.x = {0, 1}, .y = {0, 1}});
  chart.x.label = chart.y.label = endless;
  const plot::Canvas table = plot::draw_heat_map(
      {.values = zeros({2, 2}), .row_label = endless, .column_label = endless, .value_label = "v"});
  for (const plot::Canvas& canvas : {draw(chart), table}) {
    int shortened = 0;
    for (const plot::Text& text : all<plot::Text>(canvas)) {
      CHECK(text.text != endless);
      if (!text.text.starts_with("nn")) continue;
      ++shortened;
      const double half = plot::text_width(text.text, text.style) / 2;
      const bool upwards = text.style.turn != 0;
      const double center = upwards ? text.at.y : text.at.x;
      CHECK(center - half >= 0);
      CHECK(center + half <= (upwards ? canvas.size().height : canvas.size().width));
    }
    CHECK(shortened == 2);
  }
}

TEST_CASE("a low axis that ends between ticks has two of them or more") {
  plot::Chart chart = chart_of(plot::Series{.x = {0, 1}, .y = {-1, 1}});
  chart.y.range = plot::Range{-2.2, 2.2};
  const plot::Canvas canvas = plot::draw_chart(chart, {.width = 300, .height = 140});
  for (const char* label : {"−2", "0", "2"}) CHECK(has_text(canvas, label));
}

TEST_CASE("an axis of zeros alone has a length of one's own size, within the bounds that are given") {
  const auto extent_of = [](const plot::Axis& y, double value) {
    plot::Chart chart = chart_of(plot::Points{.x = {0, 1}, .y = {value, value}});
    chart.y = y;
    return plot::detail::extents_of(chart).y.range;
  };
  const auto is = [](const plot::Range& range, double low, double high) {
    return range.low == low && range.high == high;
  };
  CHECK(is(extent_of({}, 0), -1, 1));
  CHECK(is(extent_of({.lowest = 0}, 0), 0, 1));
  CHECK(is(extent_of({.highest = 0}, 0), -1, 0));
  CHECK(is(extent_of({.lowest = 0, .highest = 0.5}, 0), 0, 0.5));
  CHECK(is(extent_of({.lowest = 0, .highest = 0}, 0), -1, 1));
  CHECK(is(extent_of({.whole_numbers = true}, 0), -0.5, 0.5));
  CHECK(extent_of({}, 1e-12).high < 2e-12);  // small is not zero
  CHECK(is(extent_of({}, 5e-324), -1, 1));
  const plot::Range x = plot::detail::extents_of(chart_of(plot::Points{.x = {0}, .y = {0}})).x.range;
  CHECK(is(x, -1, 1));
  const plot::Canvas canvas = draw(chart_of(plot::Points{.x = {0}, .y = {0}}));
  CHECK(has_text(canvas, "1"));
}

TEST_CASE("the range of one large value has a length") {
  for (const double value : {1e17, -1e17, 3.0}) {
    const plot::Range range = plot::detail::finite_range(std::vector<double>{value});
    CHECK(range.low == value);
    CHECK(range.high > range.low);
  }
}

TEST_CASE("runs of spaces stay in an SVG's text") {
  CHECK(contains(plot::detail::svg_element(plot::Text{{1, 2}, "a  b", {}}), R"(xml:space="preserve")"));
  CHECK(!contains(plot::detail::svg_element(plot::Text{{1, 2}, "a b", {}}), "xml:space"));
}

#endif
