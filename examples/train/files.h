#pragma once

#include <filesystem>

namespace train {

/// Makes the folder and its parents; throws xtgrad::IoError unless files can be written there.
void prepare_folder(const std::filesystem::path& folder);

/// Removes the temporary files (`name.PID-N.tmp`) that a killed run has left behind: those of a process that
/// is no more. Others may be in use.
void remove_leftovers(const std::filesystem::path& folder);

}  // namespace train
