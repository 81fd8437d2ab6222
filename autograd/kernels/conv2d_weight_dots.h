#pragma once

#include "xtgrad/autograd/kernels/conv2d.h"

namespace xtgrad::inline v1::detail {

/// The weight's gradient [out, k], of those elements of each filter that meet the image, by dot products: for
/// groups of few output channels.
void conv2d_weight_dots(const Conv2dSizes& sizes, const float* x, const float* g, float* dw);
void conv2d_weight_dots(const Conv2dSizes& sizes, const double* x, const double* g, double* dw);

}  // namespace xtgrad::v1::detail
