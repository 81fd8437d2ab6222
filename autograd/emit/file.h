#pragma once

#include <string>

#include "xtgrad/autograd/emit_cpp.h"
#include "xtgrad/autograd/program/steps.h"

namespace xtgrad::inline v1::detail {

/// The file of a program, with one step an operation.
[[nodiscard]] std::string emitted_file(const ProgramSteps& program, const EmitOptions& options);

}  // namespace xtgrad::v1::detail
