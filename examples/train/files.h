#pragma once

#include <filesystem>

namespace train {

/// Makes the folder and its parents; throws xtgrad::IoError unless files can be written there.
void prepare_folder(const std::filesystem::path& folder);

}  // namespace train
