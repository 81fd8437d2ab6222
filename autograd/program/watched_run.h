#pragma once

#include <cstddef>
#include <memory>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/program/runner.h"
#include "xtgrad/autograd/program_profile.h"
#include "xtgrad/autograd/program_run.h"

namespace xtgrad::inline v1::detail {

/// Where an input, or a state before the run, lies: of the spec that the program knows.
using ValueReader = Callable<const Array&(const ProgramOperand&)>;

/// Runs the steps once, and copies everything.
ProgramRun watch_run(const std::shared_ptr<const ProgramSteps>& steps, const ValueReader& read);

/// Runs the steps `runs` times from the same inputs and state, and takes their times.
ProgramProfile profile_runs(const std::shared_ptr<const ProgramSteps>& steps, const ValueReader& read,
                            std::size_t runs);

}  // namespace xtgrad::v1::detail
