#pragma once

#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::detail {

/// factor * value, which broadcast; 0 where a factor of 0 meets an infinity, where a product is NaN: what has
/// no weight in a loss has no share in it. The derivative in such a factor is 0, too.
Tensor weighted(const Tensor& factor, const Tensor& value);

}  // namespace xtgrad::v1::detail
