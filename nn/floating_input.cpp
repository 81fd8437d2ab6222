#include "xtgrad/nn/floating_input.h"

#include <fmt/format.h>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::nn::detail {

void refuse_input(std::string_view who, const Tensor& x) {
  if (!x.defined()) throw ValueError(fmt::format("{}: input: the handle is empty", who));
  throw DtypeError(fmt::format("{}: input must be float32 or float64: got {}", who, to_string(x.dtype())));
}

}  // namespace xtgrad::v1::nn::detail
