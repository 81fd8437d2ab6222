#pragma once

#include "xtgrad/autograd/program/steps.h"

namespace xtgrad::inline v1::detail {

/// The steps as they are run: numbers in blocks, steps on rows and elementwise ones fused, and at the end
/// those that cannot fail.
ProgramSteps joined(const ProgramSteps& program);

}  // namespace xtgrad::v1::detail
