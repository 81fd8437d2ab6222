#pragma once

#include <vector>

#include "xtgrad/autograd/program/steps.h"

namespace xtgrad::inline v1::detail {

/// With the steps that cannot fail and only make results and the next state, such as an optimizer's, at the
/// end.
ProgramSteps with_final_steps_last(ProgramSteps program);

/// For each state, whether the final step that makes its next value may write over the one before: no step
/// from there on reads that one, nothing but the state becomes of either, and whatever can fail has been
/// done.
std::vector<char> overwritten_states(const ProgramSteps& program);

}  // namespace xtgrad::v1::detail
