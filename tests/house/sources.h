#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace xtgrad::house {

/// The root of the repository.
std::filesystem::path source_root();

/// The headers and sources in folders, with all below them, as paths from the root, in order.
std::vector<std::string> sources_in(const std::vector<std::string>& folders);

/// The folders of the library, and those with the tests and programs that use it.
std::vector<std::string> library_folders();
std::vector<std::string> all_folders();

/// One failure for each.
void check_none(const std::vector<std::string>& found);

}  // namespace xtgrad::house
