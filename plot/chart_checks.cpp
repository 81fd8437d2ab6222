#include "xtgrad/plot/chart_checks.h"

#include <fmt/format.h>

#include <cmath>
#include <string>
#include <tuple>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/plot/checks.h"

namespace xtgrad::inline v1::plot::detail {
namespace {

/// The checks of one chart's layers.
struct Checker {
  std::string_view function;
  const Chart& chart;

  void points(std::string_view kind, const std::string& label, const std::vector<double>& x,
              const std::vector<double>& y) const {
    if (x.size() != y.size()) {
      throw ShapeError(fmt::format("{}: x and y of {} \"{}\" differ in length: {} and {}", function, kind,
                                   label, x.size(), y.size()));
    }
    if (x.empty()) {
      throw ValueError(fmt::format("{}: a layer needs a point: {} \"{}\" has 0", function, kind, label));
    }
    if (chart.x.logarithmic) positive("x", kind, label, x);
    if (chart.y.logarithmic) positive("y", kind, label, y);
  }

  void positive(std::string_view axis, std::string_view kind, const std::string& label,
                const std::vector<double>& values) const {
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!(values[i] <= 0)) continue;  // NaN is a gap
      throw ValueError(fmt::format("{}: a logarithmic axis shows numbers above 0: {}[{}] of {} \"{}\" is {}",
                                   function, axis, i, kind, label, values[i]));
    }
  }

  /// Of what has a value for each place of a grid.
  void grid(std::string_view what, const Grid& grid, const Tensor& values) const {
    check_grid(function, grid);
    const Shape flat{grid.rows * grid.per_row};
    const Shape square{grid.rows, grid.per_row};
    if (values.shape() != flat && values.shape() != square) {
      throw ShapeError(fmt::format("{}: {} must be {} or {}, as the grid is: got {}", function, what,
                                   to_string(flat), to_string(square), to_string(values.shape())));
    }
    for (const auto& [name, axis, logarithmic] :
         {std::tuple("x", &chart.x, grid.logarithmic_x), std::tuple("y", &chart.y, grid.logarithmic_y)}) {
      if (axis->logarithmic == logarithmic) continue;
      throw ValueError(fmt::format(
          "{}: a grid is logarithmic where its axis is: {} is {}, the axis \"{}\" is {}", function, name,
          logarithmic ? "logarithmic" : "linear", axis->label, axis->logarithmic ? "logarithmic" : "linear"));
    }
  }

  void operator()(const Regions& regions) const {
    if (!regions.classes.defined())
      throw ShapeError(fmt::format("{}: regions need classes: got none", function));
    if (regions.classes.dtype() != int64) {
      throw DtypeError(fmt::format("{}: classes of regions must be int64: got {}", function,
                                   to_string(regions.classes.dtype())));
    }
    grid("classes", regions.grid, regions.classes);
    // Each has a colour and a place in the legend.
    const std::int64_t most = regions.names.empty() ? 100 : static_cast<std::int64_t>(regions.names.size());
    for (const std::int64_t label : regions.classes.data<std::int64_t>()) {
      if (label >= 0 && label < most) continue;
      throw ValueError(fmt::format("{}: a class is outside of {} classes: {}", function, most, label));
    }
  }
  void operator()(const Contours& contours) const {
    if (!contours.values.defined())
      throw ShapeError(fmt::format("{}: contours need values: got none", function));
    grid("values", contours.grid, contours.values);
    if (contours.count < 3) {
      throw ValueError(
          fmt::format("{}: contours have 3 levels or more: count is {}", function, contours.count));
    }
    for (const double level : contours.levels) {
      if (!std::isfinite(level))
        throw ValueError(fmt::format("{}: a contour's level must be finite: got {}", function, level));
    }
  }
  void operator()(const Bars& bars) const {
    const std::size_t names = chart.x.categories.size();
    if (bars.heights.empty()) {
      throw ValueError(fmt::format("{}: a layer needs a bar: bars \"{}\" have 0", function, bars.label));
    }
    if (bars.heights.size() != names) {
      throw ShapeError(fmt::format("{}: bars \"{}\" and categories of x differ in number: {} and {}",
                                   function, bars.label, bars.heights.size(), names));
    }
    if (chart.y.logarithmic) {
      throw ValueError(
          fmt::format("{}: bars stand on 0, which a logarithmic axis has not: y is one, in \"{}\"", function,
                      chart.title));
    }
  }
  void operator()(const Series& series) const {
    points("series", series.label, series.x, series.y);
    if (series.shown.value_or(1) < 1) {
      throw ValueError(fmt::format("{}: a series shows a point or more: \"{}\" shows {}", function,
                                   series.label, *series.shown));
    }
  }
  void operator()(const Points& some) const {
    points("points", some.label, some.x, some.y);
    if (!(some.size > 0 && std::isfinite(some.size))) {
      throw ValueError(fmt::format("{}: the size of points must be finite and above 0: \"{}\" have {}",
                                   function, some.label, some.size));
    }
  }

  void axis(const std::string& name, const Axis& axis) const {
    if (!axis.range) return;
    check_range(function, fmt::format("the range of {}", name), *axis.range);
    if (axis.logarithmic && axis.range->low <= 0) {
      throw ValueError(fmt::format("{}: a logarithmic axis begins above 0: {} goes from {} to {}", function,
                                   name, axis.range->low, axis.range->high));
    }
  }
};

}  // namespace

void check_charts(std::string_view function, std::span<const Chart> charts) {
  if (charts.empty()) throw ValueError(fmt::format("{}: needs a chart: got none", function));
  for (const Chart& chart : charts) {
    if (chart.layers.empty()) {
      throw ValueError(fmt::format("{}: a chart needs a layer: \"{}\" has none", function, chart.title));
    }
    const Checker check{function, chart};
    check.axis("x", chart.x);
    check.axis("y", chart.y);
    if (!chart.y.categories.empty()) {
      throw ValueError(
          fmt::format("{}: only x has categories: y has {}", function, chart.y.categories.size()));
    }
    for (const Layer& layer : chart.layers) std::visit(check, layer);
    if (chart.equal_units && (chart.x.logarithmic || chart.y.logarithmic)) {
      throw ValueError(fmt::format("{}: equal units need axes that are not logarithmic: one is, in \"{}\"",
                                   function, chart.title));
    }
  }
}

}  // namespace xtgrad::v1::plot::detail
