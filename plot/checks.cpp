#include "xtgrad/plot/checks.h"

#include <fmt/format.h>

#include <cmath>
#include <tuple>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::plot::detail {

void check_range(std::string_view function, const std::string& what, const Range& range) {
  if (std::isfinite(range.low) && std::isfinite(range.high) && range.low < range.high) return;
  throw ValueError(fmt::format("{}: {} must be finite, low below high: low is {}, high is {}", function, what,
                               range.low, range.high));
}

void check_grid(std::string_view function, const Grid& grid) {
  check_range(function, "the grid's range of x", grid.x);
  check_range(function, "the grid's range of y", grid.y);
  for (const auto& [name, range, logarithmic] :
       {std::tuple("x", grid.x, grid.logarithmic_x), std::tuple("y", grid.y, grid.logarithmic_y)}) {
    if (!logarithmic || range.low > 0) continue;
    throw ValueError(fmt::format("{}: a logarithmic grid begins above 0: its {} goes from {} to {}", function,
                                 name, range.low, range.high));
  }
  if (grid.per_row < 2 || grid.rows < 2) {
    throw ValueError(fmt::format("{}: a grid has 2 rows and columns or more: got {} rows, {} columns",
                                 function, grid.rows, grid.per_row));
  }
}

}  // namespace xtgrad::v1::plot::detail
