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
  std::int64_t columns = 200;
  std::int64_t rows = 200;
};

/// The middles of the grid's places, [rows * columns, 2], x and y each: row after row from `y.low` upwards,
/// in a row from `x.low` on. A batch that a model can be given. Throws ValueError for a range that is not
/// finite with low below high, or for fewer than two rows or columns.
[[nodiscard]] Tensor grid_points(const Grid& grid, const TensorOptions& options = {});

}}}  // namespace xtgrad::v1::plot
