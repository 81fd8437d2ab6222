#pragma once

#include <span>
#include <string>
#include <string_view>

#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace training {

/// Removes the temporary files (`name.PID-N.tmp`) that killed runs have left behind of the files of these
/// names in a folder. One that a living process writes is locked by it, and stays; the process's number
/// decides where the file system has no locks, and says little where every container's process is number 1.
/// What cannot be read or removed stays.
void remove_leftovers(const std::string& folder, std::span<const std::string_view> names);

}}}  // namespace xtgrad::v1::training
