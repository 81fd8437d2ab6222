#include "xtgrad/autograd/kernels/reduced_rows.h"

#include <utility>

#include "xtgrad/autograd/kernels/levels/copy_strided.h"

namespace xtgrad::inline v1::detail {

ReducedRows reduced_rows(const Array& x, AxisMask axes) {
  std::int64_t rows = 1, width = 1;
  bool is_last = true;  // no dimension that stays, of more than one element, behind a reduced one
  for (std::size_t d = 0; d < x.shape.rank(); ++d) {
    const std::int64_t size = x.shape[d];
    if (has_axis(axes, d)) {
      width *= size;
    } else {
      is_last = is_last && (width == 1 || size == 1);
      rows *= size;
    }
  }
  if (is_last || x.numel() == 0) return {x, rows, width};
  StridedMove move;
  const Strides from = row_major_strides(x.shape);
  Strides to{};
  std::int64_t stride = 1;
  for (const bool reduced : {true, false}) {  // innermost first
    for (std::size_t d = x.shape.rank(); d-- > 0;) {
      if (has_axis(axes, d) != reduced) continue;
      to[d] = stride;
      stride *= x.shape[d];
    }
  }
  for (const bool reduced : {false, true}) {
    for (std::size_t d = 0; d < x.shape.rank(); ++d) {
      if (has_axis(axes, d) == reduced) move.add_dimension(x.shape[d], from[d], to[d]);
    }
  }
  Array moved = Array::uninitialized(Shape{rows, width}, x.dtype);
  copy_strided(move, x, moved);
  return {std::move(moved), rows, width};
}

}  // namespace xtgrad::v1::detail
