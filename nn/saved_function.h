#pragma once

#include "xtgrad/autograd/program_file/saved_program.h"
#include "xtgrad/nn/recorded_function.h"

namespace xtgrad::inline v1::detail {

/// A captured function with its state as it is now, for a file. What is neither read nor written is left out.
SavedProgram saved_function(const RecordedFunction& recorded, const StatePlaces& places);

}  // namespace xtgrad::v1::detail
