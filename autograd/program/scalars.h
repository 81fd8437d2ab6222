#pragma once

#include "xtgrad/autograd/program/steps.h"

namespace xtgrad::inline v1::detail {

/// Steps on single numbers become blocks (program/scalar_block.h) where most steps of a program are such: as
/// many as can follow each other without waiting for other steps are one.
ProgramSteps with_scalar_steps_joined(ProgramSteps program);

}  // namespace xtgrad::v1::detail
