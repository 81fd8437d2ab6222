#ifdef XTGRAD_HAS_CAIRO

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/plot/pages.h"
#include "xtgrad/plot/plot.h"
#include "xtgrad/xtgrad.h"

using namespace xtgrad;
using namespace xtgrad::testing;

TEST_CASE("images stand in rows, through one range or each through its own") {
  const Tensor images = tensor({{{0, 1}}, {{2, 4}}, {{4, 4}}});  // [3, 1, 2]
  const auto colors_of = [](const plot::Canvas& canvas) {
    std::vector<plot::Color> colors;
    for (const plot::Picture& picture : all<plot::Picture>(canvas))
      colors.insert(colors.end(), picture.pixels.colors.begin(), picture.pixels.colors.end());
    return colors;
  };
  const auto grey = [](int level) {
    const auto byte = static_cast<std::uint8_t>(level);
    return plot::Color{byte, byte, byte};
  };
  const plot::Canvas canvas = plot::draw_images(
      images, {.title = "All", .note = "of them", .captions = {"a", "b", "c"}, .per_row = 2});
  CHECK(colors_of(canvas) ==
        std::vector<plot::Color>{grey(0), grey(64), grey(128), grey(255), grey(255), grey(255)});
  const std::vector<plot::Picture> pictures = all<plot::Picture>(canvas);
  CHECK(pictures[0].rect.y == pictures[1].rect.y);
  CHECK(pictures[2].rect.y > pictures[0].rect.bottom());
  CHECK(pictures[2].rect.x == pictures[0].rect.x);
  for (const char* text : {"All", "of them", "a", "b", "c"}) CHECK(has_text(canvas, text));
  CHECK(colors_of(plot::draw_images(images, {.each = true})) ==
        std::vector<plot::Color>{grey(0), grey(255), grey(0), grey(255), grey(0), grey(0)});
  CHECK(colors_of(plot::draw_images(images, {.range = plot::Range{0, 8}}))[3] == grey(128));
  const plot::Canvas with_bar =
      plot::draw_images(images, {.map = plot::heat_map, .value_label = "activation"});
  CHECK(has_text(with_bar, "activation"));
  CHECK(has_text(with_bar, "4"));

  const Tensor red = reshape(tensor({255, 0, 0}, {.dtype = uint8}), {1, 3, 1, 1});
  CHECK(colors_of(plot::draw_images(red)) == std::vector<plot::Color>{{255, 0, 0}});
}

TEST_CASE("images that cannot be drawn are refused by name, with both values") {
  for (const Tensor& wrong : {ones({3, 3}), ones({2, 2, 3, 3}), ones({0, 3, 3}), Tensor()}) {
    const std::string shape = wrong.defined() ? to_string(wrong.shape()) : "[0]";
    CHECK_THROWS_WITH_AS(
        (void)plot::draw_images(wrong),
        ("draw_images: images must be [n, h, w], [n, 1, h, w] or [n, 3, h, w], none of them 0: got " + shape)
            .c_str(),
        ShapeError);
  }
  const Tensor two = ones({2, 3, 3});
  CHECK_THROWS_WITH_AS((void)plot::draw_images(two, {.captions = {"a"}}),
                       "draw_images: images and captions differ in number: 2 images, 1 captions", ShapeError);
  CHECK_THROWS_WITH_AS((void)plot::draw_images(two, {.per_row = -1}),
                       "draw_images: per_row must be 0 or more: got -1", ValueError);
  CHECK_THROWS_WITH_AS(
      (void)plot::draw_images(two, {.range = plot::Range{1, 1}}),
      "draw_images: the range of colours must be finite, low below high: low is 1, high is 1", ValueError);
  CHECK_THROWS_WITH_AS(
      (void)plot::draw_images(two, {.each = true, .value_label = "v"}),
      "draw_images: images with ranges of their own have no common bar: value_label is given", ValueError);
  CHECK_THROWS_WITH_AS((void)plot::draw_images(ones({5000, 1, 1})),
                       "draw_images: at most 4096 images fit on a page: got 5000", ValueError);
}

TEST_CASE("a heat map has its values in its cells, and a bar that tells its colours") {
  const plot::HeatMap map{.values = tensor({{0, 0.5, 1}, {nan, 0.25, -1}}),
                          .title = "Weights",
                          .row_label = "row",
                          .column_label = "column",
                          .value_label = "weight",
                          .row_names = {"a", "b"},
                          .range = plot::Range{-1, 1},
                          .map = plot::diverging_map};
  const plot::Canvas canvas = plot::draw_heat_map(map);
  const std::vector<plot::Box> cells = all<plot::Box>(canvas);
  REQUIRE(cells.size() == 6);
  CHECK(cells[0].fill == plot::neutral);
  CHECK(cells[2].fill == plot::diverging_map(1));
  CHECK(cells[3].fill == plot::not_a_number);
  CHECK(cells[5].fill == plot::diverging_map(0));
  CHECK(cells[3].rect.y == cells[0].rect.bottom());
  for (const char* text : {"Weights", "row", "column", "weight", "a", "b", "2", "0.25", "nan", "−1"})
    CHECK_MESSAGE(has_text(canvas, text), text);
  plot::HeatMap bare{.values = ones({1, 1}), .numbers = false};
  CHECK_FALSE(has_text(plot::draw_heat_map(bare), "1.0"));
  bare.values = ones({2});
  CHECK_THROWS_WITH_AS((void)plot::draw_heat_map(bare),
                       "draw_heat_map: values must be [rows, columns], none of them 0: got [2]", ShapeError);
  CHECK_THROWS_WITH_AS((void)plot::draw_heat_map({.values = ones({2, 2}), .column_names = {"a"}}),
                       "draw_heat_map: columns and their names differ in number: 2 columns, 1 names",
                       ShapeError);
  CHECK_THROWS_WITH_AS(
      (void)plot::draw_heat_map({.values = ones({2, 2}), .range = plot::Range{nan, 0}}),
      "draw_heat_map: the range of colours must be finite, low below high: low is nan, high is 0",
      ValueError);
}

TEST_CASE("pages side by side keep what is on them, moved") {
  plot::Canvas a({.width = 100, .height = 40});
  a.add(plot::Box{{1, 2, 3, 4}, {}});
  plot::Canvas b({.width = 50, .height = 60});
  b.add(plot::Disc{{5, 5}, 1, {}});
  b.add(plot::Line{.points = {{0, 0}, {1, 1}}, .color = {}});
  b.add(plot::Polygon{.points = {{0, 0}, {1, 1}}, .fill = {}});
  b.add(plot::Text{{7, 8}, "text"});
  b.add(plot::Picture{{0, 0, 1, 1}, {.width = 1, .height = 1, .colors = {{}}}});
  const plot::Canvas both = plot::beside(std::vector<plot::Canvas>{a, b});
  CHECK(both.size() == plot::Size{150, 60});
  CHECK(all<plot::Box>(both)[0].rect == plot::Rect{1, 12, 3, 4});  // in the middle of the higher page
  CHECK(all<plot::Disc>(both)[0].center == plot::Point{105, 5});
  CHECK(all<plot::Line>(both)[0].points[1] == plot::Point{101, 1});
  CHECK(all<plot::Polygon>(both)[0].points[1] == plot::Point{101, 1});
  CHECK(all<plot::Text>(both)[0].at == plot::Point{107, 8});
  CHECK(all<plot::Picture>(both)[0].rect == plot::Rect{100, 0, 1, 1});
  const plot::Canvas rows = plot::beside(std::vector<plot::Canvas>{a, b, a}, {.per_row = 2, .title = "All"});
  CHECK(rows.size().width == 150);
  CHECK(rows.size().height > 100);
  CHECK(has_text(rows, "All"));
  a.add(a, {10, 10});  // onto itself
  CHECK(a.items().size() == 2);
  CHECK_THROWS_WITH_AS((void)plot::beside({}), "beside: needs a page: got none", ValueError);
  CHECK_THROWS_WITH_AS((void)plot::beside(std::vector<plot::Canvas>{b}, {.per_row = -2}),
                       "beside: per_row must be 0 or more: got -2", ValueError);
}

TEST_CASE("what is the same in all frames is in an animation once") {
  std::vector<plot::Canvas> frames(3, plot::Canvas({.width = 40, .height = 30}));
  for (std::size_t i = 0; i < frames.size(); ++i) {
    frames[i].add(plot::Text{{1, 10}, "axes"});
    frames[i].add(plot::Disc{{static_cast<double>(10 * i), 20}, 2, {}});
  }
  const std::string svg = plot::to_animated_svg(frames, {.frame_seconds = 0.5, .rest_seconds = 0.5});
  CHECK(is_well_formed(svg));
  CHECK(svg.find(">axes<") == svg.rfind(">axes<"));
  CHECK(svg.find(">axes<") < svg.find("<g "));
  for (const char* part : {"@keyframes frame{0%{visibility:visible}25.0000%,100%{visibility:hidden}}",
                           "@keyframes last{0%{visibility:visible}50.0000%,100%{visibility:hidden}}",
                           "animation:frame 2.0000s step-end infinite",
                           "<g class=\"f\" style=\"animation-delay:0.0000s\">\n<circle cx=\"0\"",
                           "<g class=\"f\" style=\"animation-delay:-1.5000s\">\n<circle cx=\"10\"",
                           "<g class=\"f l\" style=\"animation-delay:-1.0000s\">\n<circle cx=\"20\"",
                           "prefers-reduced-motion"}) {
    CHECK_MESSAGE(contains(svg, part), part);
  }
  CHECK(svg == plot::to_animated_svg(frames, {.frame_seconds = 0.5, .rest_seconds = 0.5}));
  for (const char* part : {"<script", "http://www.w3.org/2000/svg#"}) CHECK_FALSE(contains(svg, part));
  const Folder folder;
  plot::save_animation(frames, folder / "a.svg", {.frame_seconds = 0.5, .rest_seconds = 0.5});
  CHECK(file_text(folder / "a.svg") == svg);

  CHECK_THROWS_WITH_AS(
      plot::save_animation(frames, folder / "a.gif"),
      ("save_animation: an animation's name ends in .svg: got " + (folder / "a.gif").string()).c_str(),
      ValueError);
  CHECK_THROWS_WITH_AS((void)plot::to_animated_svg({}),
                       "to_animated_svg: an animation has 1 to 1000 pages: got 0", ValueError);
  CHECK_THROWS_WITH_AS(
      (void)plot::to_animated_svg(frames, {.frame_seconds = 0}),
      "to_animated_svg: times must be finite, of a frame above 0 and of the rest 0 or more: got 0 and 1.5",
      ValueError);
  frames.emplace_back(plot::Size{.width = 40, .height = 31});
  CHECK_THROWS_WITH_AS((void)plot::to_animated_svg(frames),
                       "to_animated_svg: pages differ in size: 40 x 30 and 40 x 31", ShapeError);
}

TEST_CASE("what frames have in common stays between what they have not, in its order") {
  // Of two charts side by side: fixed, changing, fixed, changing, fixed. One frame has nothing that changes.
  std::vector<plot::Canvas> frames(3, plot::Canvas({.width = 40, .height = 30}));
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const double x = 10 * static_cast<double>(i);
    frames[i].add(plot::Text{{1, 10}, "left"});
    if (i != 1) frames[i].add(plot::Disc{{x, 1}, 2, {}});
    frames[i].add(plot::Text{{1, 10}, "right"});
    for (std::size_t n = 0; n < i; ++n) frames[i].add(plot::Disc{{x, 2}, 2, {}});
    frames[i].add(plot::Text{{1, 10}, "legend"});
  }
  const std::string svg = plot::to_animated_svg(frames, {.frame_seconds = 0.5, .rest_seconds = 0.5});
  CHECK(is_well_formed(svg));
  std::size_t at = 0;
  for (const char* part :
       {">left<", "delay:0.0000s\">\n<circle cx=\"0\" cy=\"1\"",
        "delay:-1.0000s\">\n<circle cx=\"20\" cy=\"1\"", ">right<",
        "delay:-1.5000s\">\n<circle cx=\"10\" cy=\"2\"", "delay:-1.0000s\">\n<circle cx=\"20\" cy=\"2\"",
        "<circle cx=\"20\" cy=\"2\"", ">legend<"}) {
    CAPTURE(part);
    at = svg.find(part, at);
    REQUIRE(at != std::string::npos);
    ++at;
  }
  for (const char* once : {">left<", ">right<", ">legend<"}) CHECK(svg.find(once) == svg.rfind(once));
}

TEST_CASE("a small item that frames have in common stays in them where it would part them") {
  // Points of which every second changes its colour: 20 groups a frame would be more than the points.
  std::vector<plot::Canvas> frames(4, plot::Canvas({.width = 40, .height = 30}));
  for (std::size_t i = 0; i < frames.size(); ++i) {
    for (int n = 0; n < 40; ++n) {
      const plot::Color color{n % 2 == 0 ? static_cast<std::uint8_t>(60 * i) : std::uint8_t{7}, 0, 0};
      frames[i].add(plot::Disc{{static_cast<double>(n), 5}, 2, color});
    }
  }
  const std::string svg = plot::to_animated_svg(frames);
  std::size_t groups = 0;
  for (std::size_t at = svg.find("<g "); at != std::string::npos; at = svg.find("<g ", at + 1)) ++groups;
  CHECK(groups == frames.size());
}

TEST_CASE("lines may be dashed, and polygons are filled, in both formats") {
  plot::Canvas canvas({.width = 20, .height = 20});
  canvas.add(plot::Line{.points = {{0, 5}, {20, 5}}, .color = {255, 0, 0}, .width = 2, .dash = 5});
  canvas.add(plot::Polygon{.points = {{0, 10}, {20, 10}, {20, 20}, {0, 20}}, .fill = {0, 0, 255}});
  const std::string svg = plot::to_svg(canvas);
  CHECK(contains(svg, "stroke-dasharray=\"5\""));
  CHECK(contains(svg, "<polygon points=\"0,10 20,10 20,20 0,20\" fill=\"#0000ff\"/>"));
  const Folder folder;
  plot::save(canvas, folder / "a.png");
  const Image image(folder / "a.png");
  CHECK(image.count({255, 0, 0}) == 2 * 10 * 4);  // two of four dashes
  CHECK(image.count({0, 0, 255}) == 40 * 20);
}

#endif
