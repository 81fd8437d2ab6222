#pragma once

#include "xtgrad/autograd/kernels/conv2d.h"

namespace xtgrad::inline v1::detail {

/// x's gradient for the cotangent g of y: the adjoint in x. An element of x has a term for each output and
/// each element of the kernel that meet it, and no other.
void conv2d_input_grad(const Conv2dSizes& sizes, const Array& g, const Array& weight, Array& dx);

}  // namespace xtgrad::v1::detail
