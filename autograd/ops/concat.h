#pragma once

#include <cstdint>
#include <span>

#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::detail {

/// As `concat`, but the tensor itself where there is one; see ops/shape.h.
Tensor joined(std::span<const Tensor> tensors, std::int64_t axis);

}  // namespace xtgrad::v1::detail
