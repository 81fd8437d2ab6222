#pragma once

#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::detail {

/// What Tensor::to does.
Tensor cast(const Tensor& x, Dtype dtype);

}  // namespace xtgrad::v1::detail
