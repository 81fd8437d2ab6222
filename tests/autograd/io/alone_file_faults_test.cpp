// Replaces the system calls that make a write durable, in order to see their order and to let them fail.
#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/program.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/file.h"

using namespace xtgrad;
using testing::file_text;
using testing::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

std::vector<std::string> calls;
std::string failing;  // the call that fails, with this error
int error_number = 0;

bool fails(const std::string& call) {
  calls.push_back(call);
  if (call != failing) return false;
  errno = error_number;
  return true;
}

}  // namespace

extern "C" int fsync(int fd) {
  struct stat status {};
  ::fstat(fd, &status);
  if (fails(S_ISDIR(status.st_mode) ? "sync folder" : "sync file")) return -1;
  return static_cast<int>(::syscall(SYS_fsync, fd));
}

extern "C" int rename(const char* from, const char* to) noexcept {
  if (fails("rename")) return -1;
  return static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}

namespace {

/// What a write says when one of its calls fails.
std::string error_when(const std::string& call, int error, const fs::path& file) {
  calls.clear();
  failing = call;
  error_number = error;
  std::string text = "no error";
  try {
    write_file_atomically(file, "new");
  } catch (const IoError& io_error) {
    text = io_error.what();
  }
  failing.clear();
  return text;
}

std::size_t count_files(const fs::path& folder) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder)) ++count;
  return count;
}

}  // namespace

TEST_CASE("a file is on the disk before it is renamed, and its folder after that") {
  const TemporaryFolder folder;
  calls.clear();
  write_file_atomically(folder.path() / "f", "bytes");
  CHECK(calls == std::vector<std::string>{"sync file", "rename", "sync folder"});
}

TEST_CASE("a sync or rename that fails leaves the old file and nothing else") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "f";
  write_file_atomically(file, "old");

  std::string text = error_when("sync file", EIO, file);
  CHECK(text.find("write_file_atomically: cannot sync " + file.string() + ".") == 0);
  CHECK(text.find(".tmp: Input/output error") != std::string::npos);
  CHECK(calls == std::vector<std::string>{"sync file"});
  CHECK(file_text(file) == "old");
  CHECK(count_files(folder.path()) == 1);

  text = error_when("rename", ENOSPC, file);
  CHECK(text == "write_file_atomically: cannot replace " + file.string() + ": No space left on device");
  CHECK(file_text(file) == "old");
  CHECK(count_files(folder.path()) == 1);
}

TEST_CASE("a folder that cannot be synced is an error, unless its file system syncs none") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "f";
  CHECK(error_when("sync folder", EIO, file) ==
        "write_file_atomically: cannot sync the folder " + folder.path().string() + "/: Input/output error");
  CHECK(file_text(file) == "new");
  CHECK(error_when("sync folder", EINVAL, file) == "no error");
  CHECK(count_files(folder.path()) == 1);
}
