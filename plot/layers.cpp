#include "xtgrad/plot/layers.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "xtgrad/plot/contour_lines.h"
#include "xtgrad/plot/image_page.h"
#include "xtgrad/plot/numbers.h"
#include "xtgrad/plot/style.h"
#include "xtgrad/plot/text.h"
#include "xtgrad/plot/ticks.h"

namespace xtgrad::inline v1::plot::detail {
namespace {

constexpr double slack = 1e-6;  // of a point: rounding puts nothing outside

bool is_inside(Point point, const Rect& rect) {
  return point.x >= rect.x - slack && point.x <= rect.right() + slack && point.y >= rect.y - slack &&
         point.y <= rect.bottom() + slack;
}

/// The part of the line from a to b that is inside, after Liang and Barsky: each side cuts off a piece.
std::optional<std::pair<Point, Point>> clipped(Point a, Point b, const Rect& rect) {
  double from = 0;
  double to = 1;
  const Point step{b.x - a.x, b.y - a.y};
  const auto cut = [&](double towards, double distance) {
    // Leaves the side behind at `distance / towards` of the way.
    if (towards == 0) return distance >= 0;
    const double share = distance / towards;
    if (towards < 0) from = std::max(from, share);
    if (towards > 0) to = std::min(to, share);
    return from <= to;
  };
  if (!cut(-step.x, a.x - rect.x + slack) || !cut(step.x, rect.right() + slack - a.x) ||
      !cut(-step.y, a.y - rect.y + slack) || !cut(step.y, rect.bottom() + slack - a.y))
    return std::nullopt;
  const auto at = [&](double share) { return Point{a.x + share * step.x, a.y + share * step.y}; };
  return std::pair(from == 0 ? a : at(from), to == 1 ? b : at(to));
}

/// The pieces of a line that are inside.
std::vector<std::vector<Point>> clipped(const std::vector<Point>& line, const Rect& rect) {
  std::vector<std::vector<Point>> pieces;
  bool goes_on = false;
  for (std::size_t i = 1; i < line.size(); ++i) {
    const auto part = clipped(line[i - 1], line[i], rect);
    if (!part) {
      goes_on = false;
      continue;
    }
    if (!goes_on) pieces.push_back({part->first});
    pieces.back().push_back(part->second);
    goes_on = part->second == line[i];
  }
  return pieces;
}

double length_of(const std::vector<Point>& line) {
  double length = 0;
  for (std::size_t i = 1; i < line.size(); ++i)
    length += std::hypot(line[i].x - line[i - 1].x, line[i].y - line[i - 1].y);
  return length;
}

/// Along a line at `share` of its length.
Point along(const std::vector<Point>& line, double share) {
  double left = share * length_of(line);
  for (std::size_t i = 1; i < line.size(); ++i) {
    const double step = std::hypot(line[i].x - line[i - 1].x, line[i].y - line[i - 1].y);
    if (step >= left && step > 0) {
      const double part = left / step;
      return {line[i - 1].x + part * (line[i].x - line[i - 1].x),
              line[i - 1].y + part * (line[i].y - line[i - 1].y)};
    }
    left -= step;
  }
  return line.back();
}

Rect room_around(Point center, double width, double height) {
  return {center.x - width / 2, center.y - height / 2, width, height};
}

bool overlap(const Rect& a, const Rect& b) {
  return a.x < b.right() && b.x < a.right() && a.y < b.bottom() && b.y < a.bottom();
}

/// Levels at round numbers inside of what the values span.
std::vector<double> levels_of(const Contours& contours, const std::vector<double>& values) {
  if (!contours.levels.empty()) {
    std::vector<double> levels = contours.levels;
    std::ranges::sort(levels);
    return levels;
  }
  std::vector<double> shown;
  for (const double value : values) {
    if (is_drawable(value) && (!contours.logarithmic || value > 0)) shown.push_back(value);
  }
  const Range range = finite_range(shown);
  // What rounding alone tells apart is flat, and so is what no tick could.
  const double size = std::max(std::abs(range.low), std::abs(range.high));
  const bool flat = shown.empty() || std::ranges::max(shown) == std::ranges::min(shown) ||
                    range.high - range.low <= std::max(1e-9 * size, 1e-299);
  if (flat) return {};
  const TickOptions options{.max_count = contours.count};
  std::vector<double> levels =
      contours.logarithmic ? log_ticks(range, options) : linear_ticks(range, options);
  std::erase_if(levels, [&](double level) { return level <= range.low || level >= range.high; });
  return levels;
}

/// Neighbouring pixels along one axis, and where they lie.
struct Band {
  std::int64_t first = 0;
  std::int64_t count = 0;
  Range place;
};

/// The pixels of a row, each `size` long from `start` on, that lie within the room: the whole ones together,
/// and what is left of one that is cut by itself.
std::vector<Band> bands(double start, double size, std::int64_t count, const Range& room) {
  std::vector<Band> found;
  bool last_whole = false;
  for (std::int64_t i = 0; i < count; ++i) {
    const Range pixel{start + size * static_cast<double>(i), start + size * static_cast<double>(i + 1)};
    const Range part{std::max(pixel.low, room.low), std::min(pixel.high, room.high)};
    if (part.high - part.low <= slack) continue;
    const bool whole = part.high - part.low >= size - slack;
    if (whole && last_whole) {
      ++found.back().count;
      found.back().place.high = part.high;
    } else {
      found.push_back({.first = i, .count = 1, .place = part});
    }
    last_whole = whole;
  }
  return found;
}

/// How far a line gets, across and down: a crumpled one is long, and no place for a label.
double reach(const std::vector<Point>& line) {
  if (line.empty()) return 0;
  const auto [left, right] = std::ranges::minmax(line, {}, &Point::x);
  const auto [top, bottom] = std::ranges::minmax(line, {}, &Point::y);
  return right.x - left.x + bottom.y - top.y;
}

/// Draws each kind of layer.
class LayerPainter {
 public:
  LayerPainter(Canvas& canvas, const PlotArea& area, const Chart& chart, const Layer& layer,
               const Looks& looks)
      : canvas_(canvas), area_(area), chart_(chart), layer_(layer), looks_(looks) {}

  void operator()(const Regions& regions) {
    Pixels pixels{.width = regions.grid.per_row, .height = regions.grid.rows};
    const auto classes = regions.classes.data<std::int64_t>();
    std::vector<Color> colors;
    for (std::int64_t row = regions.grid.rows - 1; row >= 0; --row) {
      for (std::int64_t column = 0; column < regions.grid.per_row; ++column) {
        const auto k =
            static_cast<std::size_t>(classes[static_cast<std::size_t>(row * pixels.width + column)]);
        while (colors.size() <= k)
          colors.push_back(region_color(looks_.at(region_name(regions, colors.size()))));
        pixels.colors.push_back(colors[k]);
      }
    }
    const Point corner = area_.place(regions.grid.x.low, regions.grid.y.high);
    const Point end = area_.place(regions.grid.x.high, regions.grid.y.low);
    add_clipped({corner.x, corner.y, end.x - corner.x, end.y - corner.y}, std::move(pixels));
  }

  void operator()(const Contours& contours) {
    const std::vector<double> values = numbers(contours.values);
    const std::vector<double> levels = levels_of(contours, values);
    const std::vector<std::string> names = short_labels(levels);
    std::vector<Text> labels;
    std::vector<Rect> rooms;
    for (std::size_t i = 0; i < levels.size(); ++i) {
      const double share =
          levels.size() > 1 ? static_cast<double>(i) / static_cast<double>(levels.size() - 1) : 0;
      const Color color = contours.map(share);
      std::vector<Point> longest;
      for (ContourLine line : contour_lines(contours.grid, values, levels[i])) {
        for (Point& point : line) point = area_.place(point);
        for (std::vector<Point>& piece : clipped(line, area_.rect)) {
          canvas_.add(Line{.points = piece, .color = color, .width = 1.3});
          if (reach(piece) > reach(longest)) longest = std::move(piece);
        }
      }
      add_label(longest, names[i], color, labels, rooms);
    }
    for (const Rect& room : rooms) canvas_.add(Box{room, white});
    for (Text& label : labels) canvas_.add(std::move(label));
  }

  void operator()(const Bars& bars) {
    // Which of the chart's layers of bars this is, and how many there are.
    std::size_t place = 0;
    std::size_t count = 0;
    for (const Layer& other : chart_.layers) {
      if (&other == &layer_) place = count;
      count += std::holds_alternative<Bars>(other) ? 1 : 0;
    }
    constexpr double group = 0.8;
    const double width = group / static_cast<double>(count);
    const Color color = looks_.at(bars.label).color;
    for (std::size_t i = 0; i < bars.heights.size(); ++i) {
      if (!is_drawable(bars.heights[i])) continue;
      const double left = static_cast<double>(i) - group / 2 + width * static_cast<double>(place);
      draw_bar({area_.place(left, bars.heights[i]), area_.place(left + width, 0)}, bars.heights[i], color,
               bars.values);
    }
  }

  void operator()(const Series& series) {
    const Look& look = looks_.at(series.label);
    const bool markers = has_markers(series);
    std::vector<Point> run;
    const auto end_run = [&] {
      for (std::vector<Point>& piece : clipped(run, area_.rect)) {
        canvas_.add(Line{.points = std::move(piece),
                         .color = look.color,
                         .width = line_width,
                         .dash = series.dashed ? dash_length : 0});
      }
      // A point alone makes no line, and would not be seen.
      if (markers || run.size() == 1) {
        for (const Point& point : run) {
          if (is_inside(point, area_.rect)) add_marker(canvas_, point, look);
        }
      }
      run.clear();
    };
    std::vector<Point> shown;
    const auto count = static_cast<std::int64_t>(series.x.size());
    const auto end = static_cast<std::size_t>(std::min(series.shown.value_or(count), count));
    for (std::size_t i = 0; i < end; ++i) {
      if (is_drawable(series.x[i]) && is_drawable(series.y[i])) {
        run.push_back(area_.place(series.x[i], series.y[i]));
        shown.push_back(run.back());
      } else {
        end_run();
      }
    }
    end_run();
    if (series.ends && !shown.empty()) draw_ends(shown.front(), shown.back(), look);
  }

  void operator()(const Points& points) {
    const Look& look = looks_.at(points.label);
    for (std::size_t i = 0; i < points.x.size(); ++i) {
      if (!is_drawable(points.x[i]) || !is_drawable(points.y[i])) continue;
      const Point at = area_.place(points.x[i], points.y[i]);
      if (is_inside(at, area_.rect)) add_point(canvas_, at, look, points.size);
    }
  }

 private:
  /// The part of an image that is inside the area; pixels at its sides are cut.
  void add_clipped(const Rect& rect, Pixels pixels) {
    const Rect& room = area_.rect;
    const double width = rect.width / static_cast<double>(pixels.width);
    const double height = rect.height / static_cast<double>(pixels.height);
    const std::vector<Band> columns = bands(rect.x, width, pixels.width, {room.x, room.right()});
    const std::vector<Band> rows = bands(rect.y, height, pixels.height, {room.y, room.bottom()});
    // Pixels are of one size in a picture: those that are cut make pictures of their own.
    for (const Band& row : rows) {
      for (const Band& column : columns) {
        Pixels part{.width = column.count, .height = row.count};
        for (std::int64_t y = row.first; y < row.first + row.count; ++y) {
          for (std::int64_t x = column.first; x < column.first + column.count; ++x)
            part.colors.push_back(pixels.colors[static_cast<std::size_t>(y * pixels.width + x)]);
        }
        const Rect place{column.place.low, row.place.low, column.place.high - column.place.low,
                         row.place.high - row.place.low};
        canvas_.add(Picture{place, std::move(part)});
      }
    }
  }

  /// Whether a series of the chart, such as a path over the contours, runs through a room.
  [[nodiscard]] bool is_crossed(const Rect& room) const {
    for (const Layer& layer : chart_.layers) {
      const auto* series = std::get_if<Series>(&layer);
      if (series == nullptr) continue;
      for (std::size_t i = 1; i < series->x.size(); ++i) {
        const auto drawable = [&](std::size_t k) {
          return is_drawable(series->x[k]) && is_drawable(series->y[k]);
        };
        if (!drawable(i - 1) || !drawable(i)) continue;
        const Point from = area_.place(series->x[i - 1], series->y[i - 1]);
        if (clipped(from, area_.place(series->x[i], series->y[i]), room)) return true;
      }
    }
    return false;
  }

  /// Where the line has room for its level beside the labels that are there already, out of the way of paths
  /// if there is such a place.
  void add_label(const std::vector<Point>& line, const std::string& text, Color color,
                 std::vector<Text>& labels, std::vector<Rect>& rooms) const {
    const TextStyle style{.size = 9, .color = color, .align = Align::center, .anchor = Anchor::middle};
    const double width = text_width(text, style) + 4;
    constexpr double height = 10;
    // A line that its label would hide has none; most of a small ring lies under it.
    const bool ring = line.size() > 1 && line.front() == line.back();
    if (length_of(line) < (ring ? 4 : 2) * width) return;
    std::optional<Point> place;
    for (const double share : {0.5, 0.3, 0.7, 0.15, 0.85, 0.4, 0.6, 0.22, 0.78}) {
      const Point at = along(line, share);
      const Rect room = room_around(at, width, height);
      const bool fits = is_inside({room.x, room.y}, area_.rect) &&
                        is_inside({room.right(), room.bottom()}, area_.rect) &&
                        std::ranges::none_of(rooms, [&](const Rect& other) { return overlap(room, other); });
      if (!fits) continue;
      const bool free = !is_crossed(room);
      if (free || !place) place = at;
      if (free) break;
    }
    if (!place) return;
    labels.push_back(Text{*place, text, style});
    rooms.push_back(room_around(*place, width, height));
  }

  void draw_bar(const std::pair<Point, Point>& corners, double height, Color color, bool value) {
    const Rect& room = area_.rect;
    const double top = std::clamp(std::min(corners.first.y, corners.second.y), room.y, room.bottom());
    const double bottom = std::clamp(std::max(corners.first.y, corners.second.y), room.y, room.bottom());
    const double width = corners.second.x - corners.first.x;
    // A hair's breadth between neighbours.
    canvas_.add(Box{{corners.first.x + 0.4, top, std::max(width - 0.8, 0.5 * width), bottom - top}, color});
    if (!value) return;
    const double y = height < 0 ? bottom + small_size : top - 3;
    const TextStyle style{.size = small_size, .color = ink, .align = Align::center};
    const std::string text = fit_text(short_number(height), style, width + 8);
    // No grid line strikes the number through. The room is not wider than the bar: neighbours stay whole.
    const double room_width = std::min(text_width(text, style) + 4, width);
    const Point middle{corners.first.x + width / 2, y - 0.36 * small_size};
    canvas_.add(Box{room_around(middle, room_width, small_size), white});
    canvas_.add(Text{{middle.x, y}, text, style});
  }

  void draw_ends(Point first, Point last, const Look& look) {
    if (is_inside(first, area_.rect)) {
      canvas_.add(Disc{first, 5, look.color});
      canvas_.add(Disc{first, 3, white});
    }
    if (is_inside(last, area_.rect)) {
      canvas_.add(Disc{last, 5.6, white});
      canvas_.add(Disc{last, 4.8, look.color});
    }
  }

  Canvas& canvas_;
  const PlotArea& area_;
  const Chart& chart_;
  const Layer& layer_;
  const Looks& looks_;
};

}  // namespace

Point PlotArea::place(double at_x, double at_y) const {
  // Far outside of every page, and near enough to compute with.
  constexpr double farthest = 1e9;
  return {std::clamp(rect.x + rect.width * x.share(at_x), -farthest, farthest),
          std::clamp(rect.bottom() - rect.height * y.share(at_y), -farthest, farthest)};
}

bool is_background(const Layer& layer) { return std::holds_alternative<Regions>(layer); }

bool is_of_plane(const Layer& layer) {
  return is_background(layer) || std::holds_alternative<Contours>(layer);
}

void draw_layer(Canvas& canvas, const PlotArea& area, const Chart& chart, const Layer& layer,
                const Looks& looks) {
  std::visit(LayerPainter(canvas, area, chart, layer, looks), layer);
}

}  // namespace xtgrad::v1::plot::detail
