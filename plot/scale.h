#pragma once

#include <string>
#include <vector>

#include "xtgrad/plot/canvas.h"
#include "xtgrad/plot/chart.h"

namespace xtgrad::inline v1::plot::detail {

/// What the layers of a chart span, of one of its axes.
struct Extent {
  Range range;
  bool tight = false;   ///< the axis ends exactly there
  bool stands = false;  ///< bars stand on 0: if nothing is below, the axis begins there
};

/// False for what is left out of a chart: what is not finite, and above 1e299, where an axis around it would
/// not be.
[[nodiscard]] bool is_drawable(double value);

/// The extents of a chart's axes, given ranges included.
struct Extents {
  Extent x;
  Extent y;
};
[[nodiscard]] Extents extents_of(const Chart& chart);

/// An axis' range, and the numbers that are written at it.
struct Scale {
  Range range;
  bool logarithmic = false;
  std::vector<double> ticks = {};
  std::vector<std::string> labels = {};

  /// How far along the axis a value lies: 0 at its low end, 1 at its high one.
  [[nodiscard]] double share(double value) const;
};

/// The x axis, `width` long: with as many ticks as have room for their labels.
[[nodiscard]] Scale x_scale(const Axis& axis, const Extent& extent, double width);
/// The y axis, `height` long: from tick to tick where it need not end elsewhere.
[[nodiscard]] Scale y_scale(const Axis& axis, const Extent& extent, double height);

/// Width of the widest of some labels.
[[nodiscard]] double widest_label(const std::vector<std::string>& labels);

}  // namespace xtgrad::v1::plot::detail
