// Charts of bars.
#ifdef XTGRAD_HAS_CAIRO

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tests/plot/pages.h"
#include "xtgrad/plot/plot.h"
#include "xtgrad/xtgrad.h"

using namespace xtgrad;
using namespace xtgrad::testing;

namespace {

plot::Canvas draw(const plot::Chart& chart) { return plot::draw_chart(chart, {.width = 300, .height = 240}); }

plot::Chart chart_of(plot::Bars bars) {
  plot::Chart chart{.title = "t", .x = {.label = "x"}, .y = {.label = "y"}};
  chart.layers.emplace_back(std::move(bars));
  return chart;
}

}  // namespace

TEST_CASE("bars stand side by side on zero, with their heights at their ends") {
  plot::Chart chart = chart_of(plot::Bars{.label = "a", .heights = {1, -2, testing::nan}, .values = true});
  chart.x.categories = {"one", "two", "three"};
  chart.layers.push_back(plot::Bars{.label = "b", .heights = {2, 1, 3}});
  const plot::Canvas canvas = draw(chart);
  std::vector<plot::Box> bars = all<plot::Box>(canvas);
  std::erase_if(bars, [](const plot::Box& box) {
    return box.rect.height == 10 || box.fill == plot::white;  // the legend's, and the numbers' rooms
  });
  REQUIRE(bars.size() == 5);
  CHECK(bars[0].rect.bottom() == doctest::Approx(bars[1].rect.y));  // up from zero, and down
  CHECK(bars[1].rect.height == doctest::Approx(2 * bars[0].rect.height));
  CHECK(bars[2].rect.x > bars[0].rect.right());
  CHECK(bars[2].rect.x - bars[0].rect.right() < 1);
  for (const char* text : {"one", "two", "three", "1", "−2", "a", "b"}) CHECK(has_text(canvas, text));
}

TEST_CASE("no grid line strikes through the number on a bar") {
  plot::Chart chart = chart_of(plot::Bars{.heights = {55.3, -55.3, 96}, .values = true});
  chart.x.categories = {"one", "two", "three"};
  chart.layers.push_back(plot::Bars{.heights = {100, -100, 100}});
  const plot::Canvas canvas = plot::draw_chart(chart, {.width = 500, .height = 240});
  std::vector<plot::Box> bars;
  std::vector<plot::Box> rooms;
  for (const plot::Item& item : canvas.items()) {
    // Grid lines are below all of them.
    const auto* line = std::get_if<plot::Line>(&item);
    if (line != nullptr && line->color == plot::grid_line) CHECK(rooms.empty());
    if (const auto* box = std::get_if<plot::Box>(&item))
      (box->fill == plot::white ? rooms : bars).push_back(*box);
    const auto* text = std::get_if<plot::Text>(&item);
    if (text == nullptr || (text->text != "55.3" && text->text != "−55.3" && text->text != "96")) continue;
    // What was put there last is the number's room: it holds all of its digits, and covers none of the bar.
    REQUIRE(!rooms.empty());
    const plot::Rect room = rooms.back().rect;
    const double width = plot::text_width(text->text, text->style);
    CHECK(room.x < text->at.x - width / 2);
    CHECK(room.right() > text->at.x + width / 2);
    CHECK(room.bottom() > text->at.y);
    CHECK(room.y < text->at.y - 0.73 * text->style.size);
    const plot::Rect bar = bars.back().rect;
    CHECK((room.bottom() <= bar.y || room.y >= bar.bottom()));
    CHECK(room.x >= bar.x - 0.4);
    CHECK(room.right() <= bar.right() + 0.4);
  }
  CHECK(rooms.size() == 3);
}

TEST_CASE("the axis of bars begins at 0 where none goes below") {
  const auto lowest = [](const std::vector<double>& heights) {
    std::vector<double> ticks;
    plot::Chart chart = chart_of(plot::Bars{.heights = heights});
    chart.x.categories.assign(heights.size(), "bar");
    for (const plot::Text& text : all<plot::Text>(draw(chart))) {
      const bool is_number = text.text.find_first_not_of("0123456789.−") == std::string::npos;
      if (is_number && text.style.align == plot::Align::right)
        ticks.push_back(text.text.starts_with("−") ? -1 : std::stod(text.text));
    }
    REQUIRE_FALSE(ticks.empty());
    return std::ranges::min(ticks);
  };
  CHECK(lowest({0, 3.2, 2.4}) == 0);
  CHECK(lowest({5, 3.2, 2.4}) == 0);
  CHECK(lowest({0, 0}) == 0);
  CHECK(lowest({5, -3.2}) == -1);
}

#endif
