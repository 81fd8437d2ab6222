#pragma once

#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::nn::detail {

/// The p-norm of the vectors along the last dimension, p at least 1: right wherever it is in the dtype's
/// range, also where powers of elements are not. Of zeros alone all derivatives are 0. At infinities they are
/// limits: for p above 1 each of k infinities has the slope of k equal numbers, k^(1/p - 1) of its sign.
[[nodiscard]] Tensor norm(const Tensor& x, double p, bool keepdim);

}  // namespace xtgrad::v1::nn::detail
