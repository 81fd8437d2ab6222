#include "xtgrad/plot/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/plot/cairo.h"
#include "xtgrad/plot/chart_checks.h"
#include "xtgrad/plot/labels.h"
#include "xtgrad/plot/layers.h"
#include "xtgrad/plot/legend.h"
#include "xtgrad/plot/numbers.h"
#include "xtgrad/plot/scale.h"
#include "xtgrad/plot/text.h"

namespace xtgrad::inline v1::plot {
namespace {

constexpr double gap = 6;
constexpr double chart_distance = 22;

/// One chart in its part of the page.
class ChartPainter {
 public:
  ChartPainter(Canvas& canvas, const Chart& chart, const Rect& part) : canvas_(canvas), chart_(chart) {
    const detail::Extents extents = detail::extents_of(chart);
    const double top = part.y + (chart.title.empty() ? 0 : title_size + gap) + text_size / 2;
    const double bottom = part.bottom() - (text_size + gap) - (small_size + gap + 4);
    area_.y = detail::y_scale(chart.y, extents.y, bottom - top);
    y_labels_ = detail::widest_label(area_.y.labels);
    const double left = part.x + text_size + gap + y_labels_ + gap;
    area_.rect = {left, top, part.right() - left, bottom - top};
    constexpr double least = 40;
    if (!(area_.rect.width >= least && area_.rect.height >= least)) {
      throw ValueError(
          fmt::format("draw_charts: a chart needs {0} x {0} points between its axes: {1:.0f} x {2:.0f} "
                      "are left on a page of {3} x {4}",
                      least, area_.rect.width, area_.rect.height, canvas.size().width, canvas.size().height));
    }
    area_.x = detail::x_scale(chart.x, extents.x, area_.rect.width);
    if (chart.equal_units) equalise();
  }

  void draw(const detail::Looks& looks) {
    for (const Layer& layer : chart_.layers) {
      if (detail::is_background(layer)) detail::draw_layer(canvas_, area_, chart_, layer, looks);
    }
    draw_axes();
    for (const Layer& layer : chart_.layers) {
      if (!detail::is_background(layer)) detail::draw_layer(canvas_, area_, chart_, layer, looks);
    }
    draw_names();
  }

 private:
  /// Shortens the longer side, and leaves the rest of the part empty at both ends.
  void equalise() {
    Rect& rect = area_.rect;
    const double unit = std::min(rect.width / (area_.x.range.high - area_.x.range.low),
                                 rect.height / (area_.y.range.high - area_.y.range.low));
    const double width = unit * (area_.x.range.high - area_.x.range.low);
    const double height = unit * (area_.y.range.high - area_.y.range.low);
    rect = {rect.center().x - width / 2, rect.center().y - height / 2, width, height};
    area_.x = detail::x_scale(chart_.x, {area_.x.range, true}, width);
    area_.y = detail::y_scale(chart_.y, {area_.y.range, true}, height);
  }

  void draw_axes() {
    const Rect& rect = area_.rect;
    const bool on_plane = std::ranges::any_of(chart_.layers, detail::is_of_plane);
    for (std::size_t i = 0; i < area_.y.ticks.size(); ++i) {
      const double y = area_.place(area_.x.range.low, area_.y.ticks[i]).y;
      if (on_plane) {
        canvas_.add(Line{.points = {{rect.x - 4, y}, {rect.x, y}}, .color = faint_ink});
      } else {
        canvas_.add(Line{.points = {{rect.x, y}, {rect.right(), y}}, .color = grid_line});
      }
      canvas_.add(Text{{rect.x - gap, y},
                       area_.y.labels[i],
                       {.size = small_size, .color = ink, .align = Align::right, .anchor = Anchor::middle}});
    }
    for (std::size_t i = 0; i < area_.x.ticks.size(); ++i) {
      const double x = area_.place(area_.x.ticks[i], area_.y.range.low).x;
      if (chart_.x.categories.empty())
        canvas_.add(Line{.points = {{x, rect.bottom()}, {x, rect.bottom() + 4}}, .color = faint_ink});
      canvas_.add(Text{{x, rect.bottom() + gap + small_size},
                       area_.x.labels[i],
                       {.size = small_size, .color = ink, .align = Align::center}});
    }
    canvas_.add(Line{.points = {{rect.x, rect.y}, {rect.x, rect.bottom()}, {rect.right(), rect.bottom()}},
                     .color = faint_ink});
    // Bars below zero need to be seen to hang from it.
    if (area_.y.range.low < 0 && area_.y.range.high > 0 && !chart_.x.categories.empty()) {
      const double y = area_.place(area_.x.range.low, 0).y;
      canvas_.add(Line{.points = {{rect.x, y}, {rect.right(), y}}, .color = faint_ink});
    }
  }

  /// Last, so that what a title says may differ in frames of an animation whose axes do not.
  void draw_names() {
    const Rect& rect = area_.rect;
    const TextStyle style{.size = text_size, .color = ink, .align = Align::center};
    canvas_.add(Text{{rect.center().x, rect.bottom() + small_size + text_size + 2 * gap},
                     fit_text(chart_.x.label, style, rect.width + 20),
                     style});
    TextStyle upwards = style;
    upwards.turn = 90;
    canvas_.add(Text{{rect.x - y_labels_ - 2 * gap - 2, rect.center().y},
                     fit_text(chart_.y.label, style, rect.height + 20),
                     upwards});
    if (chart_.title.empty()) return;
    TextStyle title = style;
    title.size = title_size;
    title.bold = true;
    canvas_.add(Text{{rect.center().x, rect.y - text_size / 2 - gap},
                     fit_text(chart_.title, title, rect.width + 40),
                     title});
  }

  Canvas& canvas_;
  const Chart& chart_;
  detail::PlotArea area_;
  double y_labels_ = 0;
};

}  // namespace

Canvas draw_charts(std::span<const Chart> charts, const ChartsOptions& options) {
  detail::require_cairo("draw_charts");
  detail::check_charts("draw_charts", charts);
  const auto count = static_cast<std::int64_t>(charts.size());
  if (options.per_row < 0)
    throw ValueError(fmt::format("draw_charts: per_row must be 0 or more: got {}", options.per_row));
  const std::int64_t columns = options.per_row == 0 ? count : std::min(options.per_row, count);
  const std::int64_t rows = (count + columns - 1) / columns;
  Canvas canvas(Size{options.width, options.height});
  const detail::Looks looks(charts);
  double top = margin;
  if (!options.title.empty()) {
    const TextStyle style{.size = title_size + 2, .color = ink, .bold = true, .align = Align::center};
    canvas.add(Text{{options.width / 2, top + style.size - 2},
                    fit_text(options.title, style, options.width - 2 * margin),
                    style});
    top += style.size + gap;
  }
  const double legend = detail::draw_legend(canvas, looks, top);
  if (legend > 0) top += legend + gap;

  const auto part = [](double room, std::int64_t n) {
    return (room - chart_distance * static_cast<double>(n - 1)) / static_cast<double>(n);
  };
  const double width = part(options.width - 2 * margin, columns);
  const double height = part(options.height - margin - top, rows);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t rows_above = i / columns;
    const auto row = static_cast<double>(rows_above);
    const auto column = static_cast<double>(i % columns);
    const Rect place{margin + column * (width + chart_distance), top + row * (height + chart_distance), width,
                     height};
    ChartPainter(canvas, charts[static_cast<std::size_t>(i)], place).draw(looks);
  }
  return canvas;
}

Canvas draw_chart(const Chart& chart, const ChartsOptions& options) {
  return draw_charts(std::span(&chart, 1), options);
}

std::vector<Layer> class_points(const Tensor& points, const Tensor& labels,
                                std::span<const std::string> names, double size) {
  constexpr std::string_view function = "class_points";
  if (points.rank() != 2 || points.size(1) != 2)
    throw ShapeError(fmt::format("{}: points must be [n, 2]: got {}", function, to_string(points.shape())));
  detail::check_label_vector(function, labels);
  if (labels.numel() != points.size(0)) {
    throw ShapeError(fmt::format("{}: points and labels differ in number: points are {}, labels are {}",
                                 function, to_string(points.shape()), to_string(labels.shape())));
  }
  constexpr std::int64_t most_classes = 100;  // each has an entry in the legend
  detail::check_label_range(function, labels,
                            names.empty() ? most_classes : static_cast<std::int64_t>(names.size()));
  const std::vector<double> places = numbers(points);
  const std::span<const std::int64_t> data = labels.data<std::int64_t>();
  std::vector<Points> classes;
  for (std::size_t i = 0; i < data.size(); ++i) {
    const auto k = static_cast<std::size_t>(data[i]);
    if (classes.size() <= k) classes.resize(k + 1);
    classes[k].x.push_back(places[2 * i]);
    classes[k].y.push_back(places[2 * i + 1]);
  }
  std::vector<Layer> layers;
  for (std::size_t k = 0; k < classes.size(); ++k) {
    classes[k].label = detail::class_name(names, static_cast<std::int64_t>(k));
    classes[k].size = size;
    if (!classes[k].x.empty()) layers.emplace_back(std::move(classes[k]));
  }
  return layers;
}

}  // namespace xtgrad::v1::plot
