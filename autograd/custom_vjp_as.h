#pragma once

#include <span>
#include <string>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/custom_vjp.h"

namespace xtgrad::inline v1::detail {

/// `custom_vjp` for functions that are built on it: its node and its errors have the name `function`, which
/// is what the user called.
[[nodiscard]] Tensor custom_vjp_as(std::string function, const Callable<Tensor(std::span<const Tensor>)>& f,
                                   VjpRule rule, std::span<const Tensor> inputs);

}  // namespace xtgrad::v1::detail
