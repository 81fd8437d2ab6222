#include "files.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <regex>
#include <string>
#include <system_error>

#include "xtgrad/autograd/errors.h"

namespace train {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(std::string_view what, const fs::path& path, int error) {
  throw xtgrad::IoError(
      fmt::format("cannot {} {}: {}", what, path.string(), std::generic_category().message(error)));
}

}  // namespace

void prepare_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) fail("create the folder", folder, error.value());
  if (::access(folder.c_str(), W_OK | X_OK) != 0) fail("write to the folder", folder, errno);
}

void remove_leftovers(const fs::path& folder) {
  static const std::regex temporary(R"((.+)\.(\d{1,9})(-\d+)?\.tmp)");
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    std::smatch parts;
    if (!std::regex_match(name, parts, temporary)) continue;
    if (std::ranges::find(output_names, parts[1].str()) == output_names.end()) continue;
    const pid_t process = std::stoi(parts[2].str());
    if (process > 0 && ::kill(process, 0) != 0 && errno == ESRCH) fs::remove(entry.path(), ignored);
  }
}

}  // namespace train
