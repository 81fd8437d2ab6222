#pragma once

#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::detail {

/// As Tensor::to, but x itself where it has that dtype; see ops/shape.h.
Tensor cast(const Tensor& x, Dtype dtype);

}  // namespace xtgrad::v1::detail
