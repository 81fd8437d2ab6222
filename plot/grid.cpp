#include "xtgrad/plot/grid.h"

#include <cmath>
#include <span>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/plot/checks.h"

namespace xtgrad::inline v1::plot {

namespace detail {
namespace {

double middle(const Range& range, double i, std::int64_t count, bool logarithmic) {
  const double share = (i + 0.5) / static_cast<double>(count);
  if (logarithmic) return range.low * std::pow(range.high / range.low, share);
  return range.low + (range.high - range.low) * share;
}

}  // namespace

Point grid_place(const Grid& grid, double column, double row) {
  return {middle(grid.x, column, grid.per_row, grid.logarithmic_x),
          middle(grid.y, row, grid.rows, grid.logarithmic_y)};
}

}  // namespace detail

Tensor grid_points(const Grid& grid, const TensorOptions& options) {
  detail::check_grid("grid_points", grid);
  std::vector<double> places;
  places.reserve(static_cast<std::size_t>(2 * grid.rows * grid.per_row));
  for (std::int64_t row = 0; row < grid.rows; ++row) {
    for (std::int64_t column = 0; column < grid.per_row; ++column) {
      const Point place = detail::grid_place(grid, static_cast<double>(column), static_cast<double>(row));
      places.push_back(place.x);
      places.push_back(place.y);
    }
  }
  return from_span(
      std::span<const double>(places), {grid.rows * grid.per_row, 2},
      {.dtype = options.dtype.value_or(default_dtype()), .requires_grad = options.requires_grad});
}

}  // namespace xtgrad::v1::plot
