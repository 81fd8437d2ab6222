#pragma once

#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::detail {

// As `slice` and `pad`, but x itself where nothing is to be done; see ops/shape.h.

Tensor sliced(const Tensor& x, const SliceOptions& options);
Tensor padded(const Tensor& x, const PadOptions& options);

}  // namespace xtgrad::v1::detail
