#include "xtgrad/plot/heat_map.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/plot/cairo.h"
#include "xtgrad/plot/checks.h"
#include "xtgrad/plot/image_page.h"
#include "xtgrad/plot/labels.h"
#include "xtgrad/plot/numbers.h"
#include "xtgrad/plot/table.h"
#include "xtgrad/plot/ticks.h"

namespace xtgrad::inline v1::plot {
namespace {

constexpr std::string_view function = "draw_heat_map";

std::vector<std::string> names_of(const char* what, const std::vector<std::string>& names,
                                  std::int64_t count) {
  if (!names.empty() && static_cast<std::int64_t>(names.size()) != count) {
    throw ShapeError(fmt::format("{}: {} and their names differ in number: {} {}, {} names", function, what,
                                 count, what, names.size()));
  }
  std::vector<std::string> all;
  for (std::int64_t i = 0; i < count; ++i) all.push_back(detail::class_name(names, i));
  return all;
}

}  // namespace

Canvas draw_heat_map(const HeatMap& map) {
  detail::require_cairo(function);
  const Shape shape = map.values.defined() ? map.values.shape() : Shape{0};
  if (shape.rank() != 2 || shape.numel() == 0) {
    throw ShapeError(fmt::format("{}: values must be [rows, columns], none of them 0: got {}", function,
                                 to_string(shape)));
  }
  constexpr std::int64_t most = 1000;  // each cell is a few items of the page
  if (shape[0] > most || shape[1] > most) {
    throw ValueError(
        fmt::format("{}: a table has {} rows and columns at most, draw_images draws more: got {}", function,
                    most, to_string(shape)));
  }
  if (map.range) detail::check_range(function, "the range of colours", *map.range);
  const std::vector<double> values = numbers(map.values);
  const Range range = map.range.value_or(detail::finite_range(values));
  constexpr double bar_room = 44;
  detail::Table table{.title = map.title,
                      .note = map.note,
                      .row_axis = map.row_label,
                      .column_axis = map.column_label,
                      .row_names = names_of("rows", map.row_names, shape[0]),
                      .column_names = names_of("columns", map.column_names, shape[1]),
                      .below = bar_room};
  for (const double value : values) {
    detail::Cell cell{.fill = map.map((value - range.low) / (range.high - range.low))};
    if (map.numbers)
      cell.text = std::isfinite(value) ? detail::short_number(value) : fmt::format("{}", value);
    table.cells.push_back(std::move(cell));
  }
  Canvas canvas = draw_table(table);
  const std::vector<detail::ColorBar> bars{{.label = map.value_label, .range = range, .map = map.map}};
  detail::draw_bars(canvas, bars, canvas.size().height - bar_room);
  return canvas;
}

}  // namespace xtgrad::v1::plot
