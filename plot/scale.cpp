#include "xtgrad/plot/scale.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "xtgrad/plot/style.h"
#include "xtgrad/plot/text.h"
#include "xtgrad/plot/ticks.h"

namespace xtgrad::inline v1::plot::detail {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double label_gap = 9;  // between labels of one axis

double magnitude(const Range& range) { return std::max(std::abs(range.low), std::abs(range.high)); }

/// The range with `room` at both ends, though not beyond the axis' limits unless it is there already.
Range with_room(const Range& range, double room, const Axis& axis) {
  return {std::max(range.low - room, std::min(range.low, axis.lowest.value_or(-infinity))),
          std::min(range.high + room, std::max(range.high, axis.highest.value_or(infinity)))};
}

/// Makes a range of a single value one that has a length.
Range widened(const Range& range, const Axis& axis) {
  if (range.high - range.low > magnitude(range) * 1e-9) return range;
  if (axis.logarithmic) return {range.low / 2, range.high * 2};
  // Around zeros alone nothing tells how much room is small.
  const double room = magnitude(range) > 1e-300 ? magnitude(range) * 0.1 : 1;
  const Range wide = with_room(range, axis.whole_numbers ? 0.5 : room, axis);
  if (wide.high > wide.low) return wide;
  return {range.low - room, range.high + room};  // between limits that leave no room
}

void include(Range& range, double value) {
  range = {std::min(range.low, value), std::max(range.high, value)};
}

/// Adds up what each layer spans.
struct Collector {
  Extents& extents;

  void add(const std::vector<double>& x, const std::vector<double>& y) const {
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (!is_drawable(x[i]) || !is_drawable(y[i])) continue;
      include(extents.x.range, x[i]);
      include(extents.y.range, y[i]);
    }
  }
  void add(const Grid& grid) const {
    for (const double x : {grid.x.low, grid.x.high}) include(extents.x.range, x);
    for (const double y : {grid.y.low, grid.y.high}) include(extents.y.range, y);
    extents.x.tight = extents.y.tight = true;
  }
  void operator()(const Regions& regions) const { add(regions.grid); }
  void operator()(const Contours& contours) const { add(contours.grid); }
  void operator()(const Series& series) const { add(series.x, series.y); }
  void operator()(const Points& points) const { add(points.x, points.y); }
  void operator()(const Bars& bars) const {
    include(extents.x.range, -0.5);
    include(extents.x.range, static_cast<double>(bars.heights.size()) - 0.5);
    extents.x.tight = true;
    include(extents.y.range, 0);
    extents.y.stands = true;
    for (const double height : bars.heights) {
      // Room for the number at the end.
      if (is_drawable(height)) include(extents.y.range, bars.values ? 1.08 * height : height);
    }
  }
};

void finish(Extent& extent, const Axis& axis) {
  if (axis.range) {
    extent = {.range = *axis.range, .tight = true};
    return;
  }
  if (extent.range.low > extent.range.high) extent.range = axis.logarithmic ? Range{0.1, 1} : Range{0, 1};
  const bool on_zero = extent.stands && extent.range.low == 0;
  extent.range = widened(extent.range, axis);
  if (on_zero) extent.range.low = 0;
}

std::vector<double> ticks_of(const Axis& axis, const Range& range, int count) {
  return axis.logarithmic ? log_ticks(range, {.max_count = count})
                          : linear_ticks(range, {.max_count = count, .whole_numbers = axis.whole_numbers});
}

void keep_inside(std::vector<double>& ticks, const Range& range) {
  const double slack = 1e-9 * (range.high - range.low);
  std::erase_if(ticks, [&](double tick) { return tick < range.low - slack || tick > range.high + slack; });
}

void add_labels(Scale& scale) {
  scale.labels = scale.logarithmic ? short_labels(scale.ticks) : tick_labels(scale.ticks);
}

/// As long as shows a little more than the range, so that no marker sits on the axis.
Range roomy(const Range& range, bool logarithmic) {
  constexpr double part = 0.03;
  if (logarithmic) {
    const double factor = std::pow(range.high / range.low, part);
    return {range.low / factor, range.high * factor};
  }
  const double room = part * (range.high - range.low);
  return {range.low - room, range.high + room};
}

}  // namespace

bool is_drawable(double value) { return std::abs(value) <= 1e299; }

Extents extents_of(const Chart& chart) {
  Extents extents{{{infinity, -infinity}}, {{infinity, -infinity}}};
  for (const Layer& layer : chart.layers) std::visit(Collector{extents}, layer);
  finish(extents.x, chart.x);
  finish(extents.y, chart.y);
  return extents;
}

double Scale::share(double value) const {
  if (logarithmic) return std::log(value / range.low) / std::log(range.high / range.low);
  return (value - range.low) / (range.high - range.low);
}

Scale x_scale(const Axis& axis, const Extent& extent, double width) {
  Scale scale{.range = extent.tight ? extent.range : roomy(extent.range, axis.logarithmic),
              .logarithmic = axis.logarithmic};
  if (!axis.categories.empty()) {
    const double room = width / static_cast<double>(axis.categories.size()) - 3;
    for (std::size_t i = 0; i < axis.categories.size(); ++i) {
      scale.ticks.push_back(static_cast<double>(i));
      scale.labels.push_back(fit_text(axis.categories[i], {.size = small_size}, room));
    }
    return scale;
  }
  for (int count = 10; count >= 3; --count) {
    scale.ticks = ticks_of(axis, extent.range, count);
    keep_inside(scale.ticks, scale.range);
    add_labels(scale);
    const double needed = widest_label(scale.labels) + label_gap;
    if (needed * static_cast<double>(scale.ticks.size()) <= width) break;
  }
  return scale;
}

Scale y_scale(const Axis& axis, const Extent& extent, double height) {
  const int count = std::max(3, static_cast<int>(height / 28));
  Scale scale{.range = extent.range, .logarithmic = axis.logarithmic};
  if (!extent.tight && !axis.logarithmic) {
    // Markers on the frame would look cut off.
    const double room = 0.02 * (extent.range.high - extent.range.low);
    scale.range = with_room(extent.range, room, axis);
    if (extent.stands && extent.range.low == 0) scale.range.low = 0;
  }
  scale.ticks = ticks_of(axis, scale.range, count);
  if (extent.tight) {
    keep_inside(scale.ticks, scale.range);
    if (scale.ticks.size() < 2) {
      // One number alone tells no scale; the two ticks beyond the ends need no room.
      scale.ticks = ticks_of(axis, scale.range, count + 2);
      keep_inside(scale.ticks, scale.range);
    }
  } else {
    scale.range = {scale.ticks.front(), scale.ticks.back()};
  }
  add_labels(scale);
  return scale;
}

double widest_label(const std::vector<std::string>& labels) {
  double width = 0;
  for (const std::string& label : labels) width = std::max(width, text_width(label, {.size = small_size}));
  return width;
}

}  // namespace xtgrad::v1::plot::detail
