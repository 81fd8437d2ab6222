#include "xtgrad/autograd/io/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <optional>
#include <system_error>
#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/memory_budget.h"
#include "xtgrad/autograd/io/on_behalf.h"
#include "xtgrad/autograd/io/saving.h"

namespace xtgrad::inline v1 {
namespace {

[[noreturn]] void fail(std::string_view function, std::string_view what, const std::string& path, int error) {
  throw IoError(
      fmt::format("{}: cannot {} {}: {}", function, what, path, std::generic_category().message(error)));
}

/// Closes on the way out.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  /// Some file systems report a failed write only here.
  [[nodiscard]] int close() { return ::close(std::exchange(fd_, -1)); }

 private:
  int fd_;
};

// --- Reading -------------------------------------------------------------------------------------

constexpr std::size_t chunk_bytes = std::size_t{1} << 16;

[[noreturn]] void fail_too_long(std::string_view function, const std::string& path, const std::string& found,
                                const ReadLimits& limits) {
  throw IoError(fmt::format("{}: {} is too long: it has {} bytes, ReadLimits::max_bytes is {}", function,
                            path, found, limits.max_bytes));
}

/// Reads up to `count` bytes; fewer only at the end.
std::size_t read_some(std::string_view function, int fd, char* out, std::size_t count,
                      const std::string& path) {
  std::size_t done = 0;
  while (done < count) {
    const ssize_t n = ::read(fd, out + done, count - done);
    if (n == 0) break;
    if (n > 0) {
      done += static_cast<std::size_t>(n);
    } else if (errno != EINTR) {
      fail(function, "read", path, errno);
    }
  }
  return done;
}

/// What is left to read of an open file.
std::string read_all(std::string_view function, const Descriptor& file, const struct stat& status,
                     const std::string& path, const ReadLimits& limits) {
  std::string bytes;
  if (S_ISREG(status.st_mode)) {
    const auto size = static_cast<std::uint64_t>(status.st_size);
    if (size > limits.max_bytes) fail_too_long(function, path, std::to_string(size), limits);
    bytes.resize(size);
    bytes.resize(read_some(function, file.get(), bytes.data(), bytes.size(), path));
  }
  // The rest: all of a pipe, and files that grow or whose size says nothing, as in /proc.
  std::array<char, chunk_bytes> chunk{};
  while (true) {
    const std::size_t n = read_some(function, file.get(), chunk.data(), chunk.size(), path);
    if (n > limits.max_bytes - bytes.size()) {
      fail_too_long(function, path, fmt::format("more than {}", limits.max_bytes), limits);
    }
    bytes.append(chunk.data(), n);
    if (n < chunk.size()) return bytes;
  }
}

// --- Writing -------------------------------------------------------------------------------------

/// The file behind a symbolic link, or behind several; there may be none there yet.
std::string follow_links(std::string_view function, const std::string& path) {
  constexpr int most_links = 40;  // as many as the kernel follows
  std::string at = path;
  for (int links = 0; links <= most_links; ++links) {
    std::array<char, PATH_MAX> target{};
    const ssize_t length = ::readlink(at.c_str(), target.data(), target.size());
    if (length < 0) return at;  // no link, or nothing there: opening it will tell
    const std::string_view text(target.data(), static_cast<std::size_t>(length));
    const std::size_t slash = at.rfind('/');
    at = text.starts_with('/') || slash == std::string::npos ? std::string(text)
                                                             : at.substr(0, slash + 1).append(text);
  }
  fail(function, "write", path, ELOOP);
}

/// Permissions of the file to be replaced, if there is one.
std::optional<mode_t> permissions_of(std::string_view function, const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;  // creating the temporary file will tell
  if (S_ISDIR(status.st_mode)) fail(function, "write", path, EISDIR);
  if (!S_ISREG(status.st_mode)) {
    throw IoError(fmt::format("{}: cannot write {}: it is there, and no regular file", function, path));
  }
  return status.st_mode & 0777;
}

/// Locks a file that was just made, so that nobody takes it for what a killed process has left
/// (remove_leftovers in training/leftovers.h); the lock ends with the process. False if somebody has done so
/// meanwhile. Where the file system has no locks it stays without one.
bool lock_new(int fd) {
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) return errno != EWOULDBLOCK;
  struct stat status {};
  return ::fstat(fd, &status) != 0 || status.st_nlink > 0;
}

/// A file under a name of its own beside the final one, which is gone again unless it was put in place.
class TemporaryFile {
 public:
  TemporaryFile(std::string_view function, const std::string& final_path)
      : function_(function), final_path_(final_path), file_(create()) {}
  ~TemporaryFile() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void set_permissions(mode_t mode) {
    if (::fchmod(file_.get(), mode) != 0) fail(function_, "set the permissions of", path_, errno);
  }

  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
      if (written >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(written));
      } else if (errno != EINTR) {
        fail(function_, "write", path_, errno);
      }
    }
  }

  void put_in_place() {
    // Otherwise the rename may reach the disk before the bytes do.
    if (::fsync(file_.get()) != 0) fail(function_, "sync", path_, errno);
    // Not without its lock until it has its name.
    const Descriptor locked(::fcntl(file_.get(), F_DUPFD_CLOEXEC, 0));
    if (file_.close() != 0) fail(function_, "write", path_, errno);
    if (::rename(path_.c_str(), final_path_.c_str()) != 0) fail(function_, "replace", final_path_, errno);
    path_.clear();
  }

 private:
  /// Threads and processes may write the same file at once, and a killed one leaves its temporary file: a
  /// name that is taken means to try the next one.
  int create() {
    static std::atomic<unsigned> next{0};
    const std::size_t name = final_path_.rfind('/') + 1;  // 0 if there is no slash
    // A name may have 255 bytes, suffix included.
    const std::string stem = final_path_.substr(0, name) + final_path_.substr(name, 200);
    while (true) {
      std::string candidate = fmt::format("{}.{}-{}.tmp", stem, ::getpid(), next++);
      const int fd = ::open(candidate.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (fd >= 0 && !lock_new(fd)) {
        ::close(fd);
        continue;
      }
      if (fd >= 0) {
        path_ = std::move(candidate);
        return fd;
      }
      if (errno != EEXIST && errno != EINTR) fail(function_, "create", candidate, errno);
    }
  }

  std::string_view function_;
  std::string final_path_;
  std::string path_;  // empty once there is nothing to remove
  Descriptor file_;
};

/// The rename lives in the folder, and may be lost in a crash until that is on the disk, too.
void sync_folder_of(std::string_view function, const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // A folder may be writable but not readable, and some file systems sync no folders: that is no failure.
  if (!descriptor.is_open()) {
    if (errno == EACCES) return;
    fail(function, "open the folder", folder, errno);
  }
  if (::fsync(descriptor.get()) != 0 && errno != EINVAL && errno != ENOTSUP) {
    fail(function, "sync the folder", folder, errno);
  }
}

}  // namespace

namespace detail {

std::string read_file(std::string_view function, const std::string& path, const ReadLimits& limits) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) fail(function, "open", path, errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail(function, "read", path, errno);
  if (S_ISDIR(status.st_mode)) fail(function, "read", path, EISDIR);

  return within_memory(function, path, [&] { return read_all(function, file, status, path, limits); });
}

void write_file_atomically(std::string_view function, const std::string& path, std::string_view bytes) {
  saving(function, bytes.size(), [&] {
    const std::string target = follow_links(function, path);
    const std::optional<mode_t> permissions = permissions_of(function, target);
    TemporaryFile file(function, target);
    if (permissions) file.set_permissions(*permissions);
    file.write(bytes);
    file.put_in_place();
    sync_folder_of(function, target);
  });
}

}  // namespace detail

std::string read_file(const std::string& path, const ReadLimits& limits) {
  return detail::read_file("read_file", path, limits);
}

void write_file_atomically(const std::string& path, std::string_view bytes) {
  detail::write_file_atomically("write_file_atomically", path, bytes);
}

}  // namespace xtgrad::v1
