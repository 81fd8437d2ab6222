#include "chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "style.h"
#include "ticks.h"
#include "xtgrad/autograd/errors.h"

namespace plot {
namespace {

constexpr double line_width = 2.2;
constexpr double marker_radius = 3.2;
constexpr std::size_t most_markers = 25;  // points closer than these are told by the line alone
constexpr double gap = 6;
constexpr double row_height = 18;
constexpr double swatch_width = 24;
constexpr double chart_distance = 22;

/// How a series is told from the others, also in print without colours.
struct Look {
  Color color;
  bool hollow = false;  // its markers
};

using Looks = std::map<std::string, Look>;

void add_marker(Canvas& canvas, Point center, const Look& look) {
  canvas.add(Disc{center, marker_radius, look.color});
  if (look.hollow) canvas.add(Disc{center, marker_radius - 1.3, white});
}

void check(std::span<const Chart> charts) {
  if (charts.empty()) throw xtgrad::ValueError("draw_charts: needs a chart: got none");
  for (const Chart& chart : charts) {
    if (chart.x.logarithmic) {
      throw xtgrad::ValueError(
          fmt::format("draw_charts: only y may be logarithmic: x is, in \"{}\"", chart.title));
    }
    for (const Series& series : chart.series) {
      if (series.x.size() == series.y.size()) continue;
      throw xtgrad::ShapeError(
          fmt::format("draw_charts: x and y of series \"{}\" differ in length: {} and {}", series.label,
                      series.x.size(), series.y.size()));
    }
  }
}

bool is_shown(const Chart& chart, double x, double y) {
  return std::isfinite(x) && std::isfinite(y) && (!chart.y.logarithmic || y > 0);
}

struct Limits {
  Range x;
  Range y;
};

double magnitude(const Range& range) { return std::max(std::abs(range.low), std::abs(range.high)); }

/// The range with `room` at both ends, though not beyond the axis' limits unless it is there already.
Range with_room(const Range& range, double room, const Axis& axis) {
  const double infinity = std::numeric_limits<double>::infinity();
  return {std::max(range.low - room, std::min(range.low, axis.lowest.value_or(-infinity))),
          std::min(range.high + room, std::max(range.high, axis.highest.value_or(infinity)))};
}

/// Makes a range of a single value one that has a length.
Range widened(const Range& range, const Axis& axis) {
  if (range.high - range.low > magnitude(range) * 1e-9) return range;
  if (axis.logarithmic) return {range.low / 2, range.high * 2};
  return with_room(range, axis.whole_numbers ? 0.5 : std::max(magnitude(range) * 0.1, 1e-9), axis);
}

/// What the shown points span.
Limits limits_of(const Chart& chart) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  Limits limits{{infinity, -infinity}, {infinity, -infinity}};
  for (const Series& series : chart.series) {
    for (std::size_t i = 0; i < series.x.size(); ++i) {
      if (!is_shown(chart, series.x[i], series.y[i])) continue;
      limits.x = {std::min(limits.x.low, series.x[i]), std::max(limits.x.high, series.x[i])};
      limits.y = {std::min(limits.y.low, series.y[i]), std::max(limits.y.high, series.y[i])};
    }
  }
  if (limits.x.low > limits.x.high) limits = {{0, 1}, chart.y.logarithmic ? Range{0.1, 1} : Range{0, 1}};
  limits = {widened(limits.x, chart.x), widened(limits.y, chart.y)};
  // Markers on the frame would look cut off.
  if (!chart.y.logarithmic) limits.y = with_room(limits.y, 0.02 * (limits.y.high - limits.y.low), chart.y);
  return limits;
}

double widest(const std::vector<std::string>& labels, const TextStyle& style) {
  double width = 0;
  for (const std::string& label : labels) width = std::max(width, text_width(label, style));
  return width;
}

/// One chart in its part of the page.
class ChartPainter {
 public:
  ChartPainter(Canvas& canvas, const Chart& chart, const Rect& area) : canvas_(canvas), chart_(chart) {
    const Limits limits = limits_of(chart);
    const double top = area.y + (chart.title.empty() ? 0 : title_size + gap) + text_size / 2;
    const double bottom = area.bottom() - (text_size + gap) - (small_size + gap + 4);
    const int rows = std::max(3, static_cast<int>((bottom - top) / 28));
    y_ticks_ = chart.y.logarithmic
                   ? log_ticks(limits.y, {.max_count = rows})
                   : linear_ticks(limits.y, {.max_count = rows, .whole_numbers = chart.y.whole_numbers});
    y_labels_ = chart.y.logarithmic ? log_tick_labels(y_ticks_) : tick_labels(y_ticks_);
    y_ = {y_ticks_.front(), y_ticks_.back()};

    const double left = area.x + text_size + gap + widest(y_labels_, {.size = small_size}) + gap;
    plot_ = {left, top, area.right() - left, bottom - top};
    choose_x(limits.x);
  }

  void draw(const Looks& looks) {
    draw_axes();
    for (const Series& series : chart_.series) draw_series(series, looks.at(series.label));
  }

 private:
  void choose_x(const Range& range) {
    // A little room, so that no marker sits on the axis.
    const double room = 0.03 * (range.high - range.low);
    x_ = {range.low - room, range.high + room};
    for (int count = 10; count >= 3; --count) {
      x_ticks_ = linear_ticks(range, {.max_count = count, .whole_numbers = chart_.x.whole_numbers});
      std::erase_if(x_ticks_, [&](double tick) { return tick < x_.low || tick > x_.high; });
      x_labels_ = tick_labels(x_ticks_);
      const double needed = widest(x_labels_, {.size = small_size}) + 1.5 * gap;
      if (needed * static_cast<double>(x_ticks_.size()) <= plot_.width) return;
    }
  }

  [[nodiscard]] Point place(double x, double y) const {
    const auto share = [](double value, const Range& range) {
      return (value - range.low) / (range.high - range.low);
    };
    const double up =
        chart_.y.logarithmic ? share(std::log10(y), {std::log10(y_.low), std::log10(y_.high)}) : share(y, y_);
    return {plot_.x + plot_.width * share(x, x_), plot_.bottom() - plot_.height * up};
  }

  void draw_axes() {
    for (std::size_t i = 0; i < y_ticks_.size(); ++i) {
      const double y = place(x_.low, y_ticks_[i]).y;
      canvas_.add(Line{.points = {{plot_.x, y}, {plot_.right(), y}}, .color = grid_line});
      canvas_.add(Text{{plot_.x - gap, y},
                       y_labels_[i],
                       {.size = small_size, .color = ink, .align = Align::right, .anchor = Anchor::middle}});
    }
    for (std::size_t i = 0; i < x_ticks_.size(); ++i) {
      const double x = place(x_ticks_[i], y_.low).x;
      canvas_.add(Line{.points = {{x, plot_.bottom()}, {x, plot_.bottom() + 4}}, .color = faint_ink});
      canvas_.add(Text{{x, plot_.bottom() + gap + small_size},
                       x_labels_[i],
                       {.size = small_size, .color = ink, .align = Align::center}});
    }
    canvas_.add(
        Line{.points = {{plot_.x, plot_.y}, {plot_.x, plot_.bottom()}, {plot_.right(), plot_.bottom()}},
             .color = faint_ink});

    const TextStyle style{.size = text_size, .color = ink, .align = Align::center};
    canvas_.add(
        Text{{plot_.center().x, plot_.bottom() + small_size + text_size + 2 * gap}, chart_.x.label, style});
    TextStyle upwards = style;
    upwards.turn = 90;
    const double left = plot_.x - widest(y_labels_, {.size = small_size}) - 2 * gap;
    canvas_.add(Text{{left - 2, plot_.center().y}, chart_.y.label, upwards});
    TextStyle title = style;
    title.size = title_size;
    title.bold = true;
    if (!chart_.title.empty()) {
      canvas_.add(Text{{plot_.center().x, plot_.y - text_size / 2 - gap},
                       fit_text(chart_.title, title, plot_.width),
                       title});
    }
  }

  void draw_series(const Series& series, const Look& look) {
    std::vector<Point> run;
    const bool markers = series.x.size() <= most_markers;
    const auto end_run = [&] {
      if (run.size() > 1) canvas_.add(Line{.points = run, .color = look.color, .width = line_width});
      // A point alone makes no line, and would not be seen.
      if (markers || run.size() == 1) {
        for (const Point& point : run) add_marker(canvas_, point, look);
      }
      run.clear();
    };
    for (std::size_t i = 0; i < series.x.size(); ++i) {
      if (is_shown(chart_, series.x[i], series.y[i])) {
        run.push_back(place(series.x[i], series.y[i]));
      } else {
        end_run();
      }
    }
    end_run();
  }

  Canvas& canvas_;
  const Chart& chart_;
  Rect plot_;
  Range x_;
  Range y_;
  std::vector<double> x_ticks_;
  std::vector<double> y_ticks_;
  std::vector<std::string> x_labels_;
  std::vector<std::string> y_labels_;
};

/// The charts' labels, each once, in the order in which they appear.
std::vector<std::string> labels_of(std::span<const Chart> charts) {
  std::vector<std::string> labels;
  for (const Chart& chart : charts) {
    for (const Series& series : chart.series) {
      if (std::ranges::find(labels, series.label) == labels.end()) labels.push_back(series.label);
    }
  }
  return labels;
}

struct LegendEntry {
  std::string label;
  double width;
};

/// The legend in rows above the charts, where it can hide nothing; returns its height.
double draw_legend(Canvas& canvas, const std::vector<std::string>& labels, const Looks& looks) {
  const TextStyle style{.size = text_size, .color = ink, .anchor = Anchor::middle};
  const double room = canvas.size().width - 2 * margin;
  constexpr double distance = 18;
  std::vector<std::vector<LegendEntry>> rows(1);
  double used = 0;
  for (const std::string& label : labels) {
    const std::string shown = fit_text(label, style, room - swatch_width - gap);
    const LegendEntry entry{.label = label, .width = swatch_width + gap + text_width(shown, style)};
    if (used + entry.width > room && !rows.back().empty()) {
      rows.emplace_back();
      used = 0;
    }
    rows.back().push_back(entry);
    used += entry.width + distance;
  }
  double y = margin + row_height / 2;
  for (const std::vector<LegendEntry>& row : rows) {
    double width = -distance;
    for (const LegendEntry& entry : row) width += entry.width + distance;
    double x = (canvas.size().width - width) / 2;
    for (const LegendEntry& entry : row) {
      const Look& look = looks.at(entry.label);
      canvas.add(Line{.points = {{x, y}, {x + swatch_width, y}}, .color = look.color, .width = line_width});
      add_marker(canvas, {x + swatch_width / 2, y}, look);
      canvas.add(
          Text{{x + swatch_width + gap, y}, fit_text(entry.label, style, room - swatch_width - gap), style});
      x += entry.width + distance;
    }
    y += row_height;
  }
  return row_height * static_cast<double>(rows.size());
}

}  // namespace

Canvas draw_charts(std::span<const Chart> charts, Size size) {
  check(charts);
  Canvas canvas(size);
  const std::vector<std::string> labels = labels_of(charts);
  Looks looks;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    looks[labels[i]] = {.color = series_color(i), .hollow = i % 2 == 1};
  }
  double top = margin;
  // One series needs no legend: titles and axes say what it is.
  if (labels.size() > 1) top += draw_legend(canvas, labels, looks) + gap;

  const double count = static_cast<double>(charts.size());
  const double width = (size.width - 2 * margin - chart_distance * (count - 1)) / count;
  double x = margin;
  for (const Chart& chart : charts) {
    ChartPainter(canvas, chart, {x, top, width, size.height - margin - top}).draw(looks);
    x += width + chart_distance;
  }
  return canvas;
}

}  // namespace plot
