#ifdef XTGRAD_HAS_CAIRO

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <variant>
#include <vector>

#include "tests/plot/pages.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/plot/canvas.h"
#include "xtgrad/plot/chart.h"
#include "xtgrad/plot/files.h"
#include "xtgrad/plot/image_page.h"
#include "xtgrad/plot/style.h"
#include "xtgrad/plot/text.h"
#include "xtgrad/plot/ticks.h"

using namespace xtgrad;
using namespace xtgrad::testing;

namespace {

plot::Chart chart_of(std::vector<double> y) {
  plot::Chart chart{.x = {.label = "step"}, .y = {.label = "value"}};
  plot::Series series{.label = "a", .x = {}, .y = std::move(y)};
  for (std::size_t i = 0; i < series.y.size(); ++i) series.x.push_back(static_cast<double>(i));
  chart.layers.emplace_back(std::move(series));
  return chart;
}

plot::Canvas draw(const plot::Chart& chart) {
  return plot::draw_charts(std::span(&chart, 1), {.width = 300, .height = 200});
}

/// Lines that belong to the first series.
std::vector<plot::Line> curves(const plot::Canvas& canvas) {
  std::vector<plot::Line> lines = all<plot::Line>(canvas);
  std::erase_if(lines, [](const plot::Line& line) { return line.color != plot::series_color(0); });
  return lines;
}

}  // namespace

TEST_CASE("ticks stand at multiples of 1, 2 and 5") {
  using Ticks = std::vector<double>;
  CHECK(plot::detail::linear_ticks({0, 1}) == Ticks{0, 0.2, 0.4, 0.6, 0.8, 1});
  CHECK(plot::detail::linear_ticks({0, 1}, {.max_count = 5}) == Ticks{0, 0.5, 1});
  CHECK(plot::detail::linear_ticks({0, 10}, {.max_count = 11}) == Ticks{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  CHECK(plot::detail::linear_ticks({83.2, 99.1}) == Ticks{80, 85, 90, 95, 100});
  CHECK(plot::detail::linear_ticks({-0.07, 0.13}) == Ticks{-0.1, -0.05, 0, 0.05, 0.1, 0.15});
  CHECK(plot::detail::linear_ticks({-1, 1}, {.max_count = 3}) == Ticks{-1, 0, 1});
  CHECK(plot::detail::linear_ticks({1, 3}, {.whole_numbers = true}) == Ticks{1, 2, 3});
  CHECK(plot::detail::linear_ticks({0.9, 1.1}, {.whole_numbers = true}) == Ticks{0, 1, 2});
  CHECK(plot::detail::linear_ticks({3e-7, 9e-7}, {.max_count = 4}) == Ticks{0, 5e-7, 1e-6});
  CHECK(plot::detail::linear_ticks({-9e299, 9e299}, {.max_count = 3}) == Ticks{-1e300, 0, 1e300});
}

TEST_CASE("ticks of a logarithmic axis are powers of ten where 1, 2 and 5 are too many") {
  using Ticks = std::vector<double>;
  CHECK(plot::detail::log_ticks({0.3, 7}) == Ticks{0.2, 0.5, 1, 2, 5, 10});
  CHECK(plot::detail::log_ticks({1, 10}) == Ticks{1, 2, 5, 10});
  CHECK(plot::detail::log_ticks({0.004, 2}) == Ticks{0.001, 0.01, 0.1, 1, 10});
  CHECK(plot::detail::log_ticks({1e-9, 1}, {.max_count = 4}) == Ticks{1e-9, 1e-6, 1e-3, 1});
}

TEST_CASE("ticks say what they cannot do") {
  CHECK_THROWS_WITH_AS((void)plot::detail::linear_ticks({2, 2}),
                       "linear_ticks: low must be clearly below high: low is 2, high is 2", ValueError);
  CHECK_THROWS_AS((void)plot::detail::linear_ticks({1, 1 + 1e-15}), ValueError);
  CHECK_THROWS_AS((void)plot::detail::linear_ticks({0, inf}), ValueError);
  CHECK_THROWS_AS((void)plot::detail::linear_ticks({nan, 1}), ValueError);
  CHECK_THROWS_WITH_AS((void)plot::detail::linear_ticks({0, 1}, {.max_count = 2}),
                       "linear_ticks: needs room for 3 ticks: max_count is 2", ValueError);
  CHECK_THROWS_WITH_AS((void)plot::detail::log_ticks({0, 1}),
                       "log_ticks: a logarithmic axis begins above zero: low is 0", ValueError);
}

TEST_CASE("numbers at ticks have the decimals that tell them apart") {
  using Labels = std::vector<std::string>;
  CHECK(plot::detail::tick_labels({0, 0.5, 1}) == Labels{"0.0", "0.5", "1.0"});
  CHECK(plot::detail::tick_labels({-0.05, 0, 0.05}) == Labels{"−0.05", "0.00", "0.05"});
  CHECK(plot::detail::tick_labels({0, 20, 40}) == Labels{"0", "20", "40"});
  CHECK(plot::detail::tick_labels({0, 2e6, 4e6}) == Labels{"0", "2×10⁶", "4×10⁶"});
  CHECK(plot::detail::tick_labels({-1e-5, 0, 1e-5}) == Labels{"−10⁻⁵", "0", "10⁻⁵"});
  CHECK(plot::detail::tick_labels({1000000, 1000001}) == Labels{"1000000", "1000001"});
  CHECK(plot::detail::short_labels({1e-12, 0.01, 1, 200}) == Labels{"10⁻¹²", "0.01", "1", "200"});
  CHECK(plot::detail::short_number(-0.5333) == "−0.533");
  CHECK(plot::detail::short_number(12345.6) == "12346");
  CHECK(plot::detail::short_number(123456) == "1.23×10⁵");
  CHECK(plot::detail::short_number(999999) == "10⁶");
  CHECK(plot::detail::short_number(-1e-5) == "−10⁻⁵");
  CHECK(plot::detail::short_number(0) == "0");
  CHECK(plot::with_commas(1234567) == "1,234,567");
  CHECK(plot::with_commas(-123) == "-123");
  CHECK(plot::with_commas(0) == "0");
}

TEST_CASE("a page becomes a PNG of two pixels a point") {
  const Folder folder;
  plot::Canvas canvas({.width = 40, .height = 30});
  const std::vector<plot::Color> colors{{255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {9, 8, 7}};
  canvas.add(plot::Picture{{10, 5, 20, 20}, {.width = 2, .height = 2, .colors = colors}});
  plot::save(canvas, folder / "page.png");
  const Image image(folder / "page.png");
  CHECK(image.width == 80);
  CHECK(image.height == 60);
  CHECK(image.at(0, 0) == plot::white);
  // Nearest neighbour: a pixel has one colour up to its edge.
  CHECK(image.count(colors[0]) == 400);
  CHECK(image.at(20, 10) == colors[0]);
  CHECK(image.at(39, 29) == colors[0]);
  CHECK(image.at(40, 29) == colors[1]);
  CHECK(image.at(39, 30) == colors[2]);
  CHECK(image.at(59, 49) == colors[3]);
  CHECK(image.at(60, 49) == plot::white);
  CHECK(folder.files() == std::vector<std::string>{"page.png"});
  CHECK(plot::to_png(canvas) == file_text(folder / "page.png"));
}

TEST_CASE("an SVG keeps its text, escaped") {
  plot::Canvas canvas({.width = 100, .height = 50});
  canvas.add(plot::Text{{5, 20}, "a < b & \"c\" > d", {.turn = 90}});
  canvas.add(plot::Text{{5, 30}, std::string("bad \xff byte, bell \a")});
  canvas.add(plot::Picture{{0, 0, 10, 10}, {.width = 1, .height = 1, .colors = {{1, 2, 3}}}});
  const std::string svg = plot::to_svg(canvas);
  CHECK(is_well_formed(svg));
  CHECK(contains(svg, ">a &lt; b &amp; \"c\" &gt; d</text>"));
  CHECK(contains(svg, "rotate(-90)"));
  CHECK(contains(svg, ">bad \uFFFD byte, bell \uFFFD</text>"));
  CHECK(contains(svg, "data:image/png;base64,iVBORw0KGgo"));  // the signature of PNG
  CHECK(contains(svg, R"(width="100pt" height="50pt" viewBox="0 0 100 50")"));
}

TEST_CASE("text is valid UTF-8 in the end") {
  CHECK(plot::clean_text("ä€😀") == "ä€😀");
  CHECK(plot::clean_text("\xC3") == "\uFFFD");                                  // cut off
  CHECK(plot::clean_text("\xC0\xAF") == "\uFFFD\uFFFD");                        // overlong
  CHECK(plot::clean_text("\xED\xA0\x80") == "\uFFFD\uFFFD\uFFFD");              // a surrogate
  CHECK(plot::clean_text("\xEF\xBF\xBF") == "\uFFFD\uFFFD\uFFFD");              // no character of XML
  CHECK(plot::clean_text("\xF4\x90\x80\x80x") == "\uFFFD\uFFFD\uFFFD\uFFFDx");  // past the last
  CHECK(plot::clean_text(std::string("a\0b", 3)) == "a\uFFFDb");
}

TEST_CASE("text that is too wide ends in an ellipsis") {
  const plot::TextStyle style{.size = 10};
  CHECK(plot::text_width("", style) == 0);
  CHECK(plot::text_width("mm", style) == doctest::Approx(2 * plot::text_width("m", style)));
  CHECK(plot::text_width("m", {.size = 20}) == doctest::Approx(2 * plot::text_width("m", style)));
  const double room = plot::text_width("Ankle…", style);
  CHECK(plot::fit_text("Ankle boot", style, room + 0.01) == "Ankle…");
  CHECK(plot::fit_text("Ankle boot", style, 1000) == "Ankle boot");
  CHECK(plot::fit_text("äää", style, plot::text_width("ä…", style) + 0.01) == "ä…");
  CHECK(plot::fit_text("Ankle boot", style, 0) == "…");
}

TEST_CASE("a file that can't be written is an IoError, and leaves nothing behind") {
  const Folder folder;
  const plot::Canvas canvas({.width = 10, .height = 10});
  try {
    plot::save(canvas, folder / "absent/page.png");
    FAIL("no error");
  } catch (const IoError& error) {
    const std::string text = error.what();
    CHECK(text.starts_with("write_file_atomically: cannot create " + (folder / "absent/page.png").string()));
    CHECK(text.ends_with(": No such file or directory"));
  }
  fs::create_directories(folder / "folder.svg/full");
  CHECK_THROWS_AS(plot::save(canvas, folder / "folder.svg"), IoError);
  CHECK(folder.files() == std::vector<std::string>{"folder.svg"});
  CHECK_THROWS_WITH_AS(plot::save(canvas, "page.gif"),
                       "save: a picture's name ends in .png or .svg: got page.gif", ValueError);
  CHECK_THROWS_WITH_AS((void)plot::to_png(plot::Canvas({.width = 20000, .height = 1})),
                       "to_png: a page has 1 to 32767 pixels a side: 20000 x 1 points would be 40000 x 2",
                       ValueError);
}

TEST_CASE("a curve is interrupted where it has no value") {
  const plot::Canvas canvas = draw(chart_of({1, 2, nan, 3, inf, 2, 1}));
  const std::vector<plot::Line> lines = curves(canvas);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].points.size() == 2);
  CHECK(lines[1].points.size() == 2);
  CHECK(all<plot::Disc>(canvas).size() == 5);  // the lone point between the gaps, too
  // A hundred points have no markers, but a lone one among them has.
  std::vector<double> many(100, 1.0);
  many[48] = many[50] = nan;
  CHECK(all<plot::Disc>(draw(chart_of(many))).size() == 1);
  CHECK(curves(draw(chart_of({nan, nan}))).empty());
}

TEST_CASE("points stand where the axes say") {
  const plot::Canvas canvas = draw(chart_of({0, 5, 10}));
  const std::vector<plot::Point> points = curves(canvas).at(0).points;
  CHECK(points[1].x - points[0].x == doctest::Approx(points[2].x - points[1].x));
  CHECK(points[1].y - points[0].y == doctest::Approx(points[2].y - points[1].y));
  CHECK(points[2].y < points[0].y);
  for (const plot::Text& text : all<plot::Text>(canvas)) {
    if (text.text == "5" && text.style.align == plot::Align::right)
      CHECK(text.at.y == doctest::Approx(points[1].y));
    if (text.text == "1") CHECK(text.at.x == doctest::Approx(points[1].x));
  }
  CHECK(has_text(canvas, "step"));
  CHECK(has_text(canvas, "value"));

  plot::Chart decades = chart_of({0.01, 0.1, nan, 10});
  decades.y.logarithmic = true;
  const std::vector<plot::Line> lines = curves(draw(decades));
  REQUIRE(lines.size() == 1);  // what follows the gap stands alone
  const plot::Canvas page = draw(decades);
  const std::vector<plot::Disc> discs = all<plot::Disc>(page);
  CHECK(discs.at(0).center.y - discs.at(1).center.y ==
        doctest::Approx((discs.at(1).center.y - discs.at(2).center.y) / 2));
}

TEST_CASE("an axis is not stretched beyond its bounds for the sake of room") {
  plot::Chart chart = chart_of({100, 100});
  CHECK(has_text(draw(chart), "120"));
  chart.y.highest = 100;
  CHECK_FALSE(has_text(draw(chart), "120"));
  CHECK(has_text(draw(chart), "100"));
  chart.y.highest = 50;  // but data is never cut off
  CHECK(has_text(draw(chart), "100"));
}

TEST_CASE("charts share one legend, in which a label stands once") {
  plot::Chart chart = chart_of({1, 2});
  chart.layers.push_back(plot::Series{.label = "b", .x = {0, 1}, .y = {2, 1}});
  const std::vector<plot::Chart> charts{chart, chart};
  const plot::Canvas canvas = plot::draw_charts(charts, {.width = 400, .height = 200});
  int labels = 0;
  for (const plot::Text& text : all<plot::Text>(canvas)) labels += text.text == "b" ? 1 : 0;
  CHECK(labels == 1);
  CHECK_FALSE(has_text(draw(chart_of({1, 2})), "a"));  // one series needs none
}

TEST_CASE("charts name the series that is wrong") {
  CHECK_THROWS_WITH_AS((void)plot::draw_charts({}, {.width = 100, .height = 100}),
                       "draw_charts: needs a chart: got none", ValueError);
  plot::Chart chart = chart_of({1, 2, 3});
  std::get<plot::Series>(chart.layers[0]).x.pop_back();
  CHECK_THROWS_WITH_AS((void)draw(chart), "draw_charts: x and y of series \"a\" differ in length: 2 and 3",
                       ShapeError);
}

TEST_CASE("colours of values") {
  CHECK(plot::grey_map(0) == plot::Color{0, 0, 0});
  CHECK(plot::grey_map(2) == plot::Color{255, 255, 255});
  CHECK(plot::diverging_map(0.5) == plot::neutral);
  CHECK(plot::diverging_map(0.1).blue > plot::diverging_map(0.1).red);
  CHECK(plot::diverging_map(0.9).blue < plot::diverging_map(0.9).red);
  CHECK(plot::heat_map(nan) == plot::not_a_number);
  for (int i = 0; i < 20; ++i)
    CHECK(brightness(plot::heat_map(i / 20.0)) < brightness(plot::heat_map((i + 1) / 20.0)));
  CHECK(plot::ink_on(plot::white) == plot::ink);
  CHECK(plot::ink_on({0, 0, 0}) == plot::white);

  const std::vector<double> values{0, 1, 2, nan, 0, 2, 0, 1, 0, 0, 1, 2};
  const plot::Pixels grey =
      plot::detail::to_pixels({.height = 1, .width = 4, .values = std::span(values).first(4)}, {0, 2});
  CHECK(grey.colors ==
        std::vector<plot::Color>{{0, 0, 0}, {128, 128, 128}, {255, 255, 255}, plot::not_a_number});
  const plot::Pixels rgb =
      plot::detail::to_pixels({.channels = 3, .height = 2, .width = 2, .values = values}, {0, 2});
  CHECK(rgb.colors == std::vector<plot::Color>{{0, 0, 0}, {128, 255, 0}, {255, 0, 128}, plot::not_a_number});
  CHECK_THROWS_WITH_AS(
      (void)plot::detail::to_pixels({.channels = 2, .height = 2, .width = 3, .values = values}, {0, 2}),
      "to_pixels: an image has 1 channel or 3: got 2", ShapeError);
  CHECK_THROWS_WITH_AS((void)plot::detail::to_pixels({.height = 2, .width = 3, .values = values}, {0, 2}),
                       "to_pixels: number of values differs from the size: 12 values, [1, 2, 3]", ShapeError);
}

TEST_CASE("ranges leave out what is not finite") {
  const std::vector<double> values{-1, nan, 3, inf};
  CHECK(plot::detail::finite_range(values).low == -1);
  CHECK(plot::detail::finite_range(values).high == 3);
  CHECK(plot::detail::range_about_zero(values).low == -3);
  CHECK(plot::detail::range_about_zero({}).high == 1);
  CHECK(plot::detail::finite_range({}).high == 1);
  CHECK(plot::detail::finite_range(std::span(values).first(1)).high == 0);
}

TEST_CASE("grids leave few gaps") {
  CHECK(plot::detail::grid_columns(1, 2.5) == 1);
  CHECK(plot::detail::grid_columns(16, 2.5) == 8);
  CHECK(plot::detail::grid_columns(10, 2.5) == 5);
  CHECK(plot::detail::grid_columns(17, 2.5) == 6);
}

TEST_CASE("grids take images of one size") {
  const plot::detail::Tile small{.pixels = {.width = 1, .height = 1, .colors = {{}}}};
  const plot::detail::Tile wide{.pixels = {.width = 2, .height = 1, .colors = {{}, {}}}};
  CHECK_THROWS_WITH_AS(plot::detail::ImageGrid({small, wide}, {.per_row = 2}),
                       "ImageGrid: images differ in size: 1 x 1 and 2 x 1 pixels", ShapeError);
  CHECK_THROWS_WITH_AS(plot::detail::ImageGrid({{}}, {}), "ImageGrid: an image is empty: it has 0 x 0 pixels",
                       ShapeError);
  CHECK_THROWS_WITH_AS(plot::detail::ImageGrid({}, {}),
                       "ImageGrid: needs a tile and a column: 0 tiles, 1 columns", ValueError);
}

#endif
