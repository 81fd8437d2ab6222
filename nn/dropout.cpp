#include "xtgrad/nn/dropout.h"

#include <fmt/format.h>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad {
inline namespace v1 {
namespace nn {

Dropout::Dropout(const DropoutOptions& options) : stream(default_random().split()), p_(options.p) {
  if (!(p_ >= 0 && p_ <= 1)) throw ValueError(fmt::format("Dropout: p must be in [0, 1]: got {}", p_));
}

Tensor Dropout::forward(const Tensor& x) {
  if (!is_training() || p_ == 0) return x;
  const Tensor kept = bernoulli(x.shape(), 1 - p_, stream);
  // where, not a product: an infinity that is dropped becomes 0, not NaN; and nothing is divided by 0 at p
  // = 1.
  return where(kept, p_ == 1 ? x : x * (1 / (1 - p_)), 0);
}

}  // namespace nn
}  // namespace v1
}  // namespace xtgrad
