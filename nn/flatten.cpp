#include "xtgrad/nn/flatten.h"

#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::nn {

Tensor Flatten::forward(const Tensor& x) { return flatten(x, start_); }

}  // namespace xtgrad::v1::nn
