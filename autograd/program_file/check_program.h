#pragma once

#include "xtgrad/autograd/program_file/saved_program.h"

namespace xtgrad::inline v1::detail {

/// Throws IoError unless the program can be run as it is: each value comes from one place, and is there
/// before it is read; each operand has its value's elements; each primitive is known, takes its operands, and
/// infers what the program says that it makes; the state that is there is of the spec that steps read. What
/// depends on elements is left to the run.
void check_program(const SavedProgram& program);

}  // namespace xtgrad::v1::detail
