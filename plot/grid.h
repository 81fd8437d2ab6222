#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/autograd/tensor_options.h"
#include "xtgrad/plot/canvas.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace plot {

/// A rectangle of the plane, cut into places of one size, at whose middles a function is evaluated.
struct Grid {
  Range x = {};
  Range y = {};
  std::int64_t per_row = 200;  ///< places
  std::int64_t rows = 200;
  /// Places of one size on a logarithmic axis, as that of the chart must then be: each is the same multiple
  /// of the one before.
  bool logarithmic_x = false;
  bool logarithmic_y = false;
};

/// The middles of the grid's places, [rows * per_row, 2], x and y each: row after row from `y.low` upwards,
/// in a row from `x.low` on. A batch that a model can be given. Throws ValueError for a range that is not
/// finite with low below high (and above 0 where it is logarithmic), or for fewer than two rows, or places in
/// one.
[[nodiscard]] Tensor grid_points(const Grid& grid, const TensorOptions& options = {});

namespace detail {

/// The middle of a place: of column and row as counted from the low ends, or between them for fractions.
[[nodiscard]] Point grid_place(const Grid& grid, double column, double row);

}  // namespace detail

}}}  // namespace xtgrad::v1::plot
