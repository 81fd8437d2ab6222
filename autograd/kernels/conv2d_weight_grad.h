#pragma once

#include "xtgrad/autograd/kernels/conv2d.h"

namespace xtgrad::inline v1::detail {

/// weight's gradient for the cotangent g of y: the adjoint in weight. The padding of x takes part.
void conv2d_weight_grad(const Conv2dSizes& sizes, const Array& x, const Array& g, Array& dw);

}  // namespace xtgrad::v1::detail
