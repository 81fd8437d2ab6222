#pragma once

#include <string_view>
#include <vector>

#include "xtgrad/autograd/program_run.h"

namespace xtgrad::inline v1::detail {

/// What each step is a part of: "forward", "backward", which is a rule and what a sweep computes between
/// rules, or "optimizer".
std::vector<std::string_view> phases_of(const ProgramRun& run);

}  // namespace xtgrad::v1::detail
