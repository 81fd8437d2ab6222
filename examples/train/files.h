#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace train {

/// Makes the folder and its parents; throws xtgrad::IoError unless files can be written there.
void prepare_folder(const std::filesystem::path& folder);

/// Writes a file whole or not at all: a reader, a crash or a full disk meets the old file or the new one,
/// never half of it. Throws xtgrad::IoError.
void write_file(const std::filesystem::path& path, std::string_view bytes);

/// The bytes of a file; throws xtgrad::IoError.
[[nodiscard]] std::string read_file(const std::filesystem::path& path);

}  // namespace train
