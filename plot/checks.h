#pragma once

#include <string>
#include <string_view>

#include "xtgrad/plot/canvas.h"
#include "xtgrad/plot/grid.h"

namespace xtgrad::inline v1::plot::detail {

/// Throws ValueError, naming `function` and what the range is of, unless it is finite and low is below high.
void check_range(std::string_view function, const std::string& what, const Range& range);
/// The same for both ranges of a grid, and at least two rows and columns.
void check_grid(std::string_view function, const Grid& grid);

}  // namespace xtgrad::v1::plot::detail
