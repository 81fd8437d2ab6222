// Passes: plain functions from programs to programs that compute the same, to the bit.
#pragma once

#include <cstddef>

#include "xtgrad/autograd/program/steps.h"

namespace xtgrad::inline v1::detail {

/// Of a value that is computed once and kept, unless a caller knows better.
inline constexpr std::size_t folded_bytes = std::size_t{1} << 16;

/// Without steps whose results nothing depends on, and without values that nobody reads.
ProgramSteps without_dead_steps(ProgramSteps program);

/// Where two steps compute the same of the same, the later one goes, and the first one's results are read in
/// its place.
ProgramSteps with_equal_steps_merged(ProgramSteps program);

/// Steps that depend on no input and no state are run once, now, and their results are constants: those of at
/// most `most_bytes`, so that a program does not keep what is large and quickly made.
ProgramSteps with_constants_folded(ProgramSteps program, std::size_t most_bytes = folded_bytes);

/// All of these.
ProgramSteps simplified(ProgramSteps program, std::size_t most_bytes = folded_bytes);

}  // namespace xtgrad::v1::detail
