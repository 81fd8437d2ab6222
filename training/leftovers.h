#pragma once

#include <span>
#include <string>
#include <string_view>

#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace training {

/// Removes the temporary files (`name.PID-N.tmp`) that killed runs have left behind of the files of these
/// names in a folder: those of processes that are no more. Others may be in use. What cannot be read or
/// removed stays.
void remove_leftovers(const std::string& folder, std::span<const std::string_view> names);

}}}  // namespace xtgrad::v1::training
