#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "canvas.h"

namespace plot {

/// A line through the points (x[i], y[i]). One that is not finite, or not positive on a logarithmic axis,
/// is left out and interrupts the line.
struct Series {
  std::string label;
  std::vector<double> x;
  std::vector<double> y;
};

struct Axis {
  std::string label;
  bool whole_numbers = false;  ///< no tick between them
  bool logarithmic = false;    ///< the y axis alone
  /// Values that the axis does not go beyond for the sake of room, such as 100 for percentages; it does for
  /// data.
  std::optional<double> lowest = std::nullopt;
  std::optional<double> highest = std::nullopt;
};

struct Chart {
  std::string title = {};
  Axis x = {};
  Axis y = {};
  std::vector<Series> series = {};
};

/// Charts side by side under one legend: series of the same label have the same colour in all of them. Throws
/// xtgrad::ValueError if there is no chart, or a logarithmic x axis, xtgrad::ShapeError if a series' x and y
/// differ in length.
[[nodiscard]] Canvas draw_charts(std::span<const Chart> charts, Size size);

}  // namespace plot
