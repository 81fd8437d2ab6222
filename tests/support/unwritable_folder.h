#pragma once

#include <filesystem>
#include <fstream>
#include <system_error>

namespace xtgrad::inline v1::testing {

/// A folder that is there and takes no files, not even root's; empty where none is known.
inline std::filesystem::path unwritable_folder() {
  const std::filesystem::path folder = "/sys/kernel";
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored)) return {};
  const std::filesystem::path probe = folder / "xtgrad-test";
  if (std::ofstream(probe).is_open()) {
    std::filesystem::remove(probe, ignored);
    return {};
  }
  return folder;
}

}  // namespace xtgrad::testing
