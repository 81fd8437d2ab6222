#pragma once

#include "xtgrad/autograd/kernels/reduce.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::detail {

// For operations along one axis that are asked for several.

/// x as rows along the axes taken together: of [2, 3, 4] over 0 and 1, [4, 6]. Without axes, rows of one.
[[nodiscard]] Tensor with_merged_axes(const Tensor& x, AxisMask axes);

/// The way back, to x's shape.
[[nodiscard]] Tensor with_parted_axes(const Tensor& merged, const Shape& x, AxisMask axes);

}  // namespace xtgrad::v1::detail
