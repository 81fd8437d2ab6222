#pragma once

#include <span>
#include <vector>

#include "xtgrad/plot/canvas.h"
#include "xtgrad/plot/grid.h"

namespace xtgrad::inline v1::plot::detail {

/// A line in the grid's own numbers; one that closes ends where it began.
using ContourLine = std::vector<Point>;

/// The lines along which values at the middles of a grid's places, [rows, columns], are `level`, linear
/// between neighbours in columns and rows. Places of NaN have none around them.
[[nodiscard]] std::vector<ContourLine> contour_lines(const Grid& grid, std::span<const double> values,
                                                     double level);

}  // namespace xtgrad::v1::plot::detail
