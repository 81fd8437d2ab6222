#pragma once

#include "xtgrad/autograd/program/steps.h"

namespace xtgrad::inline v1::detail {

/// Elementwise steps that read each other's results, in one step each (program/fused.h). A step joins the
/// group that computes an operand of it if all of its other operands are there when the group begins; what
/// only the group reads is handed on in pieces, and is no value of the program any more.
ProgramSteps with_elementwise_steps_fused(ProgramSteps program);

}  // namespace xtgrad::v1::detail
