#include "files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "xtgrad/autograd/errors.h"

namespace train {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(std::string_view what, const fs::path& path, int error) {
  throw xtgrad::IoError(
      fmt::format("cannot {} {}: {}", what, path.string(), std::generic_category().message(error)));
}

void write_all(int file, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      fail("write", path, errno);
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  // Otherwise the rename may reach the disk before the bytes do.
  if (::fsync(file) != 0) fail("write", path, errno);
}

/// A file under a name of its own beside the final one, which is gone again unless it was put in place.
class TemporaryFile {
 public:
  explicit TemporaryFile(const fs::path& final_path) : final_path_(final_path), path_(final_path) {
    path_ += fmt::format(".{}.tmp", ::getpid());
    file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file_ < 0) fail("create", path_, errno);
  }
  ~TemporaryFile() {
    if (file_ >= 0) ::close(file_);
    if (!in_place_) ::unlink(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void write(std::string_view bytes) { write_all(file_, bytes, path_); }

  void put_in_place() {
    // Some file systems report a failed write only here.
    const int closed = ::close(std::exchange(file_, -1));
    if (closed != 0) fail("write", path_, errno);
    if (::rename(path_.c_str(), final_path_.c_str()) != 0) fail("write", final_path_, errno);
    in_place_ = true;
  }

 private:
  fs::path final_path_;
  fs::path path_;
  int file_ = -1;
  bool in_place_ = false;
};

}  // namespace

void prepare_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) fail("create the folder", folder, error.value());
  if (::access(folder.c_str(), W_OK | X_OK) != 0) fail("write to the folder", folder, errno);
}

void write_file(const fs::path& path, std::string_view bytes) {
  TemporaryFile file(path);
  file.write(bytes);
  file.put_in_place();
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail("read", path, errno);
  std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (file.bad()) fail("read", path, EIO);
  return bytes;
}

}  // namespace train
