#include "xtgrad/training/leftovers.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <system_error>

namespace xtgrad::inline v1::training {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view digits = "0123456789";
constexpr std::size_t most_digits = 9;

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of(digits) == std::string_view::npos;
}

/// The file and the process of `name.PID-N.tmp` or `name.PID.tmp`; a process of 0 for other names.
struct Temporary {
  std::string_view file;
  int process = 0;
};
Temporary parse(std::string_view name) {
  constexpr std::string_view end = ".tmp";
  if (!name.ends_with(end)) return {};
  name.remove_suffix(end.size());
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return {};
  std::string_view process = name.substr(dot + 1);
  if (const std::size_t dash = process.find('-'); dash != std::string_view::npos) {
    if (!is_number(process.substr(dash + 1))) return {};
    process = process.substr(0, dash);
  }
  if (!is_number(process) || process.size() > most_digits) return {};
  Temporary temporary{.file = name.substr(0, dot)};
  std::from_chars(process.data(), process.data() + process.size(), temporary.process);
  return temporary;
}

bool is_dead(int process) { return ::kill(process, 0) != 0 && errno == ESRCH; }

/// Removes the file unless somebody has it locked: whoever writes it does. The lock is kept until the file is
/// gone, so that one that was only just made is not taken from its writer, which then tries another name.
void remove_unless_locked(const fs::path& path, int process) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return;
  std::error_code ignored;
  const bool locked = ::flock(fd, LOCK_EX | LOCK_NB) == 0;
  if (locked || (errno != EWOULDBLOCK && is_dead(process))) fs::remove(path, ignored);
  ::close(fd);
}

}  // namespace

void remove_leftovers(const std::string& folder, std::span<const std::string_view> names) {
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    const auto [file, process] = parse(name);
    if (process <= 0 || std::ranges::find(names, file) == names.end()) continue;
    if (entry.is_regular_file(ignored)) remove_unless_locked(entry.path(), process);
  }
}

}  // namespace xtgrad::v1::training
