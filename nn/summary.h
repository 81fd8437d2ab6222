#pragma once

#include <string>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/nn/module_base.h"

namespace xtgrad::inline v1::nn::detail {

/// The table of `ModuleBase::summary`: a row for each module, with what came out of it when `run` called the
/// model once, and its parameters.
[[nodiscard]] std::string summary_of(ModuleBase& model, const Callable<void()>& run);

}  // namespace xtgrad::v1::nn::detail
