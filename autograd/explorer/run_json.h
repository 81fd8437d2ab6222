#pragma once

#include <cstdint>
#include <string>

#include "xtgrad/autograd/program_run.h"

namespace xtgrad::inline v1::detail {

/// The run as page/run.js reads it. Names that are no UTF-8 have a replacement character where they are not.
std::string run_json(const ProgramRun& run, std::int64_t most_elements);

}  // namespace xtgrad::v1::detail
