#include "xtgrad/plot/grid.h"

#include <span>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/plot/checks.h"

namespace xtgrad::inline v1::plot {

Tensor grid_points(const Grid& grid, const TensorOptions& options) {
  detail::check_grid("grid_points", grid);
  std::vector<double> places;
  places.reserve(static_cast<std::size_t>(2 * grid.rows * grid.columns));
  const auto middle = [](const Range& range, std::int64_t i, std::int64_t count) {
    return range.low + (range.high - range.low) * (static_cast<double>(i) + 0.5) / static_cast<double>(count);
  };
  for (std::int64_t row = 0; row < grid.rows; ++row) {
    for (std::int64_t column = 0; column < grid.columns; ++column) {
      places.push_back(middle(grid.x, column, grid.columns));
      places.push_back(middle(grid.y, row, grid.rows));
    }
  }
  return from_span(
      std::span<const double>(places), {grid.rows * grid.columns, 2},
      {.dtype = options.dtype.value_or(default_dtype()), .requires_grad = options.requires_grad});
}

}  // namespace xtgrad::v1::plot
