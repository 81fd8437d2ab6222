#pragma once

#include "xtgrad/autograd/io/memory_budget.h"
#include "xtgrad/autograd/io/safetensors.h"
#include "xtgrad/autograd/program_file/saved_program.h"

namespace xtgrad::inline v1::detail {

/// The program that a file's contents describe, checked (check_program.h). Trusts nothing: IoError names the
/// place or the step, what was found and what was expected, for a version above ours and an operation that is
/// not known, too.
[[nodiscard]] SavedProgram decoded(const Safetensors& contents, MemoryBudget& budget);

}  // namespace xtgrad::v1::detail
