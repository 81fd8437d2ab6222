#pragma once

#include "xtgrad/autograd/kernels/conv2d.h"

namespace xtgrad::inline v1::detail {

/// Whether the input's gradient costs less by conv2d_input_fold than as a convolution of the cotangent: where
/// a kernel is so large that most of what it meets there is the zeros around.
[[nodiscard]] bool folding_is_cheaper(const Conv2dSizes& sizes);

/// The input's gradient as products of all weights with all cotangents, each of which is added to the element
/// that it is a term of. No term is but one of the sum, so that infinities need no care.
void conv2d_input_fold(const Conv2dSizes& sizes, const float* g, const float* weight, float* dx);
void conv2d_input_fold(const Conv2dSizes& sizes, const double* g, const double* weight, double* dx);

}  // namespace xtgrad::v1::detail
