#include "xtgrad/plot/legend.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "xtgrad/plot/labels.h"
#include "xtgrad/plot/style.h"
#include "xtgrad/plot/text.h"

namespace xtgrad::inline v1::plot::detail {
namespace {

constexpr double marker_radius = 3.2;
constexpr double gap = 6;
constexpr double row_height = 18;
constexpr double swatch_width = 24;
constexpr double entry_distance = 18;

/// A regular shape of `corners`, the first of them at `turn` from the top, as large to the eye as a disc.
Polygon shape(Point center, double radius, int corners, double turn, Color fill) {
  Polygon polygon{.points = {}, .fill = fill};
  for (int i = 0; i < corners; ++i) {
    const double angle = turn + 2 * std::numbers::pi * i / corners;
    polygon.points.push_back({center.x + radius * std::sin(angle), center.y - radius * std::cos(angle)});
  }
  return polygon;
}

/// A star of five points, the first of them upwards.
Polygon star(Point center, double radius, Color fill) {
  constexpr double waist = 0.45;  // of the radius: fat enough to have a colour
  Polygon polygon = shape(center, radius, 10, 0, fill);
  for (std::size_t i = 1; i < polygon.points.size(); i += 2) {
    Point& notch = polygon.points[i];
    notch = {center.x + waist * (notch.x - center.x), center.y + waist * (notch.y - center.y)};
  }
  return polygon;
}

/// Disc, square, triangle, diamond, the triangle on its tip, star, and again: six shapes for seven colours,
/// so that both together are the same for every 42nd label only.
Item point_shape(Point center, double size, double grow, std::size_t index, Color fill) {
  constexpr double quarter = std::numbers::pi / 4;
  switch (index % 6) {
    case 0:
      return Disc{center, 3.3 * size + grow, fill};
    case 1:
      return shape(center, 4.1 * size + 1.4 * grow, 4, quarter, fill);
    case 2:
      return shape(center, 4.6 * size + 2 * grow, 3, 0, fill);
    case 3:
      return shape(center, 4.3 * size + 1.4 * grow, 4, 0, fill);
    case 4:
      return shape(center, 4.6 * size + 2 * grow, 3, 4 * quarter, fill);
    default:
      return star(center, 5.2 * size + 2 * grow, fill);
  }
}

struct Entry {
  const Look* look;
  std::string text;
  double width;
};

void draw_entry(Canvas& canvas, const Entry& entry, Point at, const TextStyle& style) {
  const Look& look = *entry.look;
  const Point center{at.x + swatch_width / 2, at.y};
  if (look.area) canvas.add(Box{{at.x + 2, at.y - 5, swatch_width - 4, 10}, *look.area});
  if (look.line) {
    canvas.add(Line{.points = {at, {at.x + swatch_width, at.y}},
                    .color = look.color,
                    .width = line_width,
                    .dash = look.dashed ? dash_length : 0});
    if (look.markers && !look.points) add_marker(canvas, center, look);
  }
  if (look.points) add_point(canvas, center, look, 1);
  canvas.add(Text{{at.x + swatch_width + gap, at.y}, entry.text, style});
}

}  // namespace

std::string region_name(const Regions& regions, std::size_t k) {
  return class_name(regions.names, static_cast<std::int64_t>(k));
}

Color region_color(const Look& look) { return mix(look.color, white, 0.7); }

Looks::Looks(std::span<const Chart> charts) {
  struct Collector {
    Looks& looks;
    void operator()(const Regions& regions) const {
      std::size_t classes = regions.names.size();
      for (const std::int64_t label : regions.classes.data<std::int64_t>())
        classes = std::max(classes, static_cast<std::size_t>(label) + 1);
      for (std::size_t k = 0; k < classes; ++k) {
        Look& look = looks.find(region_name(regions, k));
        look.area = region_color(look);
      }
    }
    void operator()(const Contours&) const {}
    void operator()(const Bars& bars) const {
      Look& look = looks.find(bars.label);
      look.area = look.color;
    }
    void operator()(const Series& series) const {
      Look& look = looks.find(series.label);
      look.line = true;
      look.dashed = series.dashed;
      look.markers |= has_markers(series);
    }
    void operator()(const Points& points) const { looks.find(points.label).points = true; }
  };
  for (const Chart& chart : charts) {
    for (const Layer& layer : chart.layers) std::visit(Collector{*this}, layer);
  }
}

Look& Looks::find(const std::string& label) {
  const auto found = std::ranges::find(looks_, label, &Look::label);
  if (found != looks_.end()) return *found;
  const std::size_t index = looks_.size();
  looks_.push_back({.label = label, .color = series_color(index), .index = index});
  return looks_.back();
}

const Look& Looks::at(const std::string& label) const {
  return *std::ranges::find(looks_, label, &Look::label);
}

bool has_markers(const Series& series) {
  constexpr std::size_t most = 25;  // points closer than these are told by the line alone
  return series.markers.value_or(series.x.size() <= most);
}

void add_marker(Canvas& canvas, Point center, const Look& look) {
  canvas.add(Disc{center, marker_radius, look.color});
  if (look.index % 2 == 1) canvas.add(Disc{center, marker_radius - 1.3, white});
}

void add_point(Canvas& canvas, Point center, const Look& look, double size) {
  // The white rim tells points apart that lie on each other or on their own region.
  canvas.add(point_shape(center, size, 0.9, look.index, white));
  canvas.add(point_shape(center, size, 0, look.index, look.color));
}

double draw_legend(Canvas& canvas, const Looks& looks, double top) {
  const TextStyle style{.size = text_size, .color = ink, .anchor = Anchor::middle};
  const double room = canvas.size().width - 2 * margin;
  std::vector<std::vector<Entry>> rows(1);
  double used = 0;
  std::size_t count = 0;
  for (const Look& look : looks.all()) {
    if (look.label.empty()) continue;
    ++count;
    std::string text = fit_text(look.label, style, room - swatch_width - gap);
    const double width = swatch_width + gap + text_width(text, style);
    if (used + width > room && !rows.back().empty()) {
      rows.emplace_back();
      used = 0;
    }
    rows.back().push_back({.look = &look, .text = std::move(text), .width = width});
    used += width + entry_distance;
  }
  // One series needs no legend: titles and axes say what it is.
  if (count < 2) return 0;
  double y = top + row_height / 2;
  for (const std::vector<Entry>& row : rows) {
    double width = -entry_distance;
    for (const Entry& entry : row) width += entry.width + entry_distance;
    double x = (canvas.size().width - width) / 2;
    for (const Entry& entry : row) {
      draw_entry(canvas, entry, {x, y}, style);
      x += entry.width + entry_distance;
    }
    y += row_height;
  }
  return row_height * static_cast<double>(rows.size());
}

}  // namespace xtgrad::v1::plot::detail
