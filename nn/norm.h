#pragma once

#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::nn::detail {

/// The p-norm of the vectors along the last dimension, p at least 1: right wherever it is in the dtype's
/// range, also where powers of elements are not. Of zeros alone all derivatives are 0.
[[nodiscard]] Tensor norm(const Tensor& x, double p, bool keepdim);

}  // namespace xtgrad::v1::nn::detail
