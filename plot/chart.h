#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/plot/canvas.h"
#include "xtgrad/plot/grid.h"
#include "xtgrad/plot/style.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace plot {

// What a chart shows is a list of layers, each over those before it. Layers of the same label have the same
// colour, in all charts of a page, and one entry in its legend; those without a label have none.

/// A line through the points (x[i], y[i]), such as a curve or a path. A point that is not finite is left out
/// and interrupts the line.
struct Series {
  std::string label = {};
  std::vector<double> x = {};
  std::vector<double> y = {};
  bool dashed = false;
  std::optional<bool> markers = std::nullopt;  ///< at the points; if absent, where they are 25 or fewer
  bool ends = false;                           ///< a ring where it begins, a disc where it ends
  /// How many of the points are drawn, from the first on, as in a frame of an animation; axes, marks and
  /// levels are where they are for all of them. If absent, all.
  std::optional<std::int64_t> shown = std::nullopt;
};

/// Points by themselves. One that is not finite is left out.
struct Points {
  std::string label = {};
  std::vector<double> x = {};
  std::vector<double> y = {};
  double size = 1;  ///< of their marks, in multiples of the legend's; above 0
};

/// Bars from zero to `heights[i]` at the i-th category of the x axis. Those of several layers stand side by
/// side. One that is not finite is left out.
struct Bars {
  std::string label = {};
  std::vector<double> heights = {};
  bool values = false;  ///< their heights are written at their ends
};

/// The plane in as many pale colours as there are classes. Class k is called names[k]; without names, k.
///
///   const plot::Grid grid{.x = {-3, 3}, .y = {-3, 3}};
///   chart.layers.push_back(plot::Regions{.grid = grid, .classes = argmax(model(plot::grid_points(grid)),
///   1)});
struct Regions {
  Grid grid = {};
  Tensor classes = {};                  ///< int64 [rows * per_row] or [rows, per_row], as in `grid_points`
  std::vector<std::string> names = {};  ///< [classes]
};

/// Lines along which a function of the plane has one value, with that value written on them. Where it is NaN
/// there are none.
struct Contours {
  Grid grid = {};
  Tensor values = {};               ///< [rows * per_row] or [rows, per_row], as in `grid_points`
  std::vector<double> levels = {};  ///< if empty, about `count` round numbers
  int count = 8;                    ///< of levels, at least 3
  bool logarithmic = false;         ///< round numbers whose logarithms are evenly spaced, for values above 0
  ColorMap map = level_map;         ///< from the lowest level to the highest
};

using Layer = std::variant<Regions, Contours, Bars, Series, Points>;

struct Axis {
  std::string label = {};      ///< with the unit, such as "loss (nats)"
  bool whole_numbers = false;  ///< no tick between them
  bool logarithmic = false;
  /// Values that the axis does not go beyond for the sake of room, such as 100 for percentages; it does for
  /// data.
  std::optional<double> lowest = std::nullopt;
  std::optional<double> highest = std::nullopt;
  /// From where to where the axis goes; what lies outside is cut off. If absent, as far as the layers do.
  std::optional<Range> range = std::nullopt;
  /// Names at 0, 1, 2, ... in place of numbers; for the x axis.
  std::vector<std::string> categories = {};
};

struct Chart {
  std::string title = {};
  Axis x = {};
  Axis y = {};
  std::vector<Layer> layers = {};
  bool equal_units = false;  ///< one unit is as long upwards as it is to the right
};

/// All lengths are points, 1/72 inch.
struct ChartsOptions {
  double width = 520;
  double height = 290;
  std::int64_t per_row = 0;  ///< charts in a row; 0: all of them
  std::string title = {};    ///< of the whole page
};

/// Charts side by side, or in rows, under one legend. Throws ValueError if there is no chart or one without
/// layers, for a layer without points, for a range that is not finite with low below high, for a number that
/// is not above zero on a logarithmic axis, or for a page too small for its charts; ShapeError where sizes
/// differ, such as a series' x and y; DtypeError for classes that are not int64.
[[nodiscard]] Canvas draw_charts(std::span<const Chart> charts, const ChartsOptions& options = {});
/// One chart alone, with the same errors.
[[nodiscard]] Canvas draw_chart(const Chart& chart, const ChartsOptions& options = {});

/// The points of each class as a layer, in the order of classes. `points` is [n, 2], `labels` int64 [n];
/// class k is called names[k], or k if there are no names; `size` is that of `Points`. Throws ShapeError for
/// other shapes, DtypeError for other labels, ValueError for one that is negative or has no name.
[[nodiscard]] std::vector<Layer> class_points(const Tensor& points, const Tensor& labels,
                                              std::span<const std::string> names = {}, double size = 1);

}}}  // namespace xtgrad::v1::plot
