#pragma once

#include <functional>
#include <string>

#include "xtgrad/nn/module_base.h"

namespace xtgrad::inline v1::nn::detail {

/// The table of `ModuleBase::summary`: a row for each module, with what came out of it when `run` called the
/// model once, and its parameters.
[[nodiscard]] std::string summary_of(ModuleBase& model, const std::function<void()>& run);

}  // namespace xtgrad::v1::nn::detail
