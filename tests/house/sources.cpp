#include "tests/house/sources.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace xtgrad::house {

std::filesystem::path source_root() { return XTGRAD_SOURCE_DIR; }

std::vector<std::string> sources_in(const std::vector<std::string>& folders) {
  std::vector<std::string> found;
  for (const std::string& folder : folders) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(source_root() / folder)) {
      const std::filesystem::path extension = entry.path().extension();
      if (extension != ".h" && extension != ".cpp") continue;
      found.push_back(std::filesystem::relative(entry.path(), source_root()).generic_string());
    }
  }
  REQUIRE(found.size() > folders.size());
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<std::string> library_folders() {
  return {"autograd", "nn", "optim", "datasets", "training", "plot"};
}

std::vector<std::string> all_folders() {
  std::vector<std::string> folders = library_folders();
  folders.insert(folders.end(), {"tests", "examples", "benchmarks"});
  return folders;
}

void check_none(const std::vector<std::string>& found) {
  for (const std::string& line : found) FAIL_CHECK(line);
}

}  // namespace xtgrad::house
