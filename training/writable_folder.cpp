#include "xtgrad/training/writable_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/training/leftovers.h"

namespace xtgrad::inline v1::training {
namespace {

constexpr std::string_view probe_name = "writable";

/// Makes a file of this name, if there is none, and removes it again; 0 or the error of what failed.
int try_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return errno;
  ::flock(fd, LOCK_EX | LOCK_NB);  // so that others leave it alone
  int error = ::write(fd, "x", 1) == 1 ? 0 : errno;
  if (::close(fd) != 0 && error == 0) error = errno;
  if (::unlink(path.c_str()) != 0 && error == 0) error = errno;
  return error;
}

}  // namespace

void check_writable_folder(std::string_view caller, const std::string& folder) {
  // Called as a temporary file is: what a process that was killed here has left is known for that.
  remove_leftovers(folder, std::array{probe_name});
  int error = EEXIST;
  for (int i = 0; error == EEXIST && i < 1000; ++i) {
    error = try_file(
        (std::filesystem::path(folder) / fmt::format("{}.{}-{}.tmp", probe_name, ::getpid(), i)).string());
  }
  if (error == 0) return;
  throw IoError(fmt::format("{}: cannot write to the folder {}: {}", caller, folder,
                            std::generic_category().message(error)));
}

}  // namespace xtgrad::v1::training
