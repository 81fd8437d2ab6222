#include "xtgrad/nn/flatten.h"

#include "xtgrad/autograd/ops.h"

namespace xtgrad {
inline namespace v1 {
namespace nn {

Tensor Flatten::forward(const Tensor& x) { return flatten(x, start_); }

}  // namespace nn
}  // namespace v1
}  // namespace xtgrad
