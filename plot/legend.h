#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "xtgrad/plot/canvas.h"
#include "xtgrad/plot/chart.h"

namespace xtgrad::inline v1::plot::detail {

inline constexpr double line_width = 2.2;
inline constexpr double dash_length = 6;

/// How a label's layers are told from others, also in print without colours.
struct Look {
  std::string label;
  Color color = {};
  std::size_t index = 0;  ///< among the labels: decides on the shape of points
  // What the label's layers are made of, and so its entry in the legend.
  bool line = false;
  bool dashed = false;
  bool markers = false;
  bool points = false;
  std::optional<Color> area = std::nullopt;
};

/// The looks of all labels of some charts, in the order in which they appear.
class Looks {
 public:
  explicit Looks(std::span<const Chart> charts);

  [[nodiscard]] const Look& at(const std::string& label) const;
  [[nodiscard]] const std::vector<Look>& all() const { return looks_; }

 private:
  Look& find(const std::string& label);

  std::vector<Look> looks_;
};

/// What class k of a layer is called.
[[nodiscard]] std::string region_name(const Regions& regions, std::size_t k);
[[nodiscard]] Color region_color(const Look& look);

/// Whether a series has a marker at each of its points.
[[nodiscard]] bool has_markers(const Series& series);
/// At a point of a line: a disc, hollow for every second label.
void add_marker(Canvas& canvas, Point center, const Look& look);
/// A point by itself, whose shape tells its label, too.
void add_point(Canvas& canvas, Point center, const Look& look, double size);

/// The legend in rows from `top` on; returns its height, which is 0 where fewer than two labels need telling
/// apart.
double draw_legend(Canvas& canvas, const Looks& looks, double top);

}  // namespace xtgrad::v1::plot::detail
