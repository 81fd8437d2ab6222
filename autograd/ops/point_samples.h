#pragma once

#include <cstdint>

#include "xtgrad/autograd/interpolation.h"
#include "xtgrad/autograd/shape.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::detail {

/// Boxes of pixels that stand for points of images; see kernels/point_samples.h.
struct PixelBoxes {
  Shape sides = {1, 1};  ///< of the images
  std::int64_t box_side = 1;
  GridPadding padding = GridPadding::zeros;
  bool align_corners = false;
};

/// Values [n, c, points] of images x [n, c, sides...] by weights [n, box, points] of the pixels of boxes
/// whose first are `corners` [n, directions, points]. Differentiable in x and the weights, at every order.
Tensor values_at(const PixelBoxes& boxes, const Tensor& x, const Tensor& weights, const Tensor& corners);

}  // namespace xtgrad::v1::detail
