#pragma once

#include "xtgrad/plot/canvas.h"
#include "xtgrad/plot/chart.h"
#include "xtgrad/plot/legend.h"
#include "xtgrad/plot/scale.h"

namespace xtgrad::inline v1::plot::detail {

/// A rectangle of the page with a scale along each side.
struct PlotArea {
  Rect rect;
  Scale x;
  Scale y;

  [[nodiscard]] Point place(double at_x, double at_y) const;
  [[nodiscard]] Point place(Point point) const { return place(point.x, point.y); }
};

/// Regions, which lie below the axes.
[[nodiscard]] bool is_background(const Layer& layer);
/// Layers that fill the whole area: grid lines would run across them.
[[nodiscard]] bool is_of_plane(const Layer& layer);

/// Draws a layer. What lies outside of the area is cut off.
void draw_layer(Canvas& canvas, const PlotArea& area, const Chart& chart, const Layer& layer,
                const Looks& looks);

}  // namespace xtgrad::v1::plot::detail
