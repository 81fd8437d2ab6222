#pragma once

#include <cstddef>

#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::detail {

/// The vector-Jacobian product of y = log_softmax(x) along an axis, of the cotangent and of y: differentiable
/// in both.
Tensor log_softmax_vjp(const Tensor& g, const Tensor& y, std::size_t axis);

}  // namespace xtgrad::v1::detail
