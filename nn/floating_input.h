#pragma once

#include <string_view>

#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::nn::detail {

/// Throws for an input that is an empty handle, or not float32 or float64.
[[noreturn]] void refuse_input(std::string_view who, const Tensor& x);

/// Throws unless a layer's input is a float32 or float64 tensor. `who` is asked for the name in a message,
/// which a module has to look up.
void check_floating(const auto& who, const Tensor& x) {
  if (!x.defined() || !is_floating(x.dtype())) refuse_input(who(), x);
}

}  // namespace xtgrad::v1::nn::detail
