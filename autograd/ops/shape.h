#pragma once

#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::detail {

// As the public functions of like names, which give a tensor of its own, but x itself where nothing is to be
// done: for rules, whose cotangents stay in one buffer, and for steps inside of an operation.

Tensor reshaped(const Tensor& x, const Shape& shape);
Tensor reshaped_in_stack(const Tensor& x, const Shape& shape);  // always a step, of stack
Tensor permuted(const Tensor& x, const Dims& order);
Tensor stretched_to(const Tensor& x, const Shape& shape);
Tensor summed_to(const Tensor& x, const Shape& shape);

}  // namespace xtgrad::v1::detail
