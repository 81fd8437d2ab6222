#include "xtgrad/autograd/io/file.h"

#include <doctest/doctest.h>

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/program.h"
#include "xtgrad/autograd/errors.h"

using namespace xtgrad;
using testing::file_text;
using testing::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

template <class F>
std::string error_of(F f) {
  try {
    f();
  } catch (const IoError& error) {
    return error.what();
  }
  return "no error";
}

std::string write_error(const fs::path& path, const std::string& bytes = "new") {
  return error_of([&] { write_file_atomically(path, bytes); });
}

std::string read_error(const fs::path& path, const ReadLimits& limits = {}) {
  return error_of([&] { static_cast<void>(read_file(path, limits)); });
}

std::set<std::string> files_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename().string());
  return names;
}

unsigned permissions_of(const fs::path& path) {
  return static_cast<unsigned>(fs::status(path).permissions());
}

/// Sets the process's umask while in scope.
class Umask {
 public:
  explicit Umask(mode_t mask) : before_(::umask(mask)) {}
  ~Umask() { ::umask(before_); }
  Umask(const Umask&) = delete;
  Umask& operator=(const Umask&) = delete;

 private:
  mode_t before_;
};

/// Lets no file grow past `bytes` while in scope, as a full disk would.
class LongestFile {
 public:
  explicit LongestFile(rlim_t bytes) : signal_before_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~LongestFile() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, signal_before_);
  }
  LongestFile(const LongestFile&) = delete;
  LongestFile& operator=(const LongestFile&) = delete;

 private:
  rlimit before_{};
  void (*signal_before_)(int);
};

}  // namespace

TEST_CASE("a file's bytes come back, whatever they are") {
  const TemporaryFolder folder;
  std::string every_byte;
  for (int i = 0; i < 256; ++i) every_byte += static_cast<char>(i);
  std::string long_text;
  while (long_text.size() < 300'000) long_text += every_byte;
  for (const std::string& bytes : {std::string(), std::string("x"), every_byte, long_text}) {
    write_file_atomically(folder.path() / "f", bytes);
    CHECK(file_text(folder.path() / "f") == bytes);
    CHECK(read_file(folder.path() / "f") == bytes);
  }
  CHECK(files_in(folder.path()) == std::set<std::string>{"f"});
}

TEST_CASE("a file is written and read by a relative path, too") {
  const TemporaryFolder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  write_file_atomically("f", "here");
  const std::string bytes = read_file("f");
  fs::current_path(before);
  CHECK(bytes == "here");
  CHECK(file_text(folder.path() / "f") == "here");
}

TEST_CASE("reading says what it could not read, and why") {
  const TemporaryFolder folder;
  const std::string missing = folder.path() / "none";
  CHECK(read_error(missing) == "read_file: cannot open " + missing + ": No such file or directory");
  CHECK(read_error(folder.path()) == "read_file: cannot read " + folder.path().string() + ": Is a directory");
  const std::string file = folder.path() / "f";
  write_file_atomically(file, "12345678");
  CHECK(read_error(fs::path(file) / "deeper") ==
        "read_file: cannot open " + file + "/deeper: Not a directory");
}

TEST_CASE("reading stops at its limit, for files, pipes and devices") {
  const TemporaryFolder folder;
  const std::string file = folder.path() / "f";
  write_file_atomically(file, "12345678");
  CHECK(read_file(file, {.max_bytes = 8}) == "12345678");
  CHECK(read_error(file, {.max_bytes = 7}) ==
        "read_file: " + file + " is too long: it has 8 bytes, ReadLimits::max_bytes is 7");
  // A size that the disk does not hold.
  fs::resize_file(file, std::uintmax_t{1} << 40);
  CHECK(read_error(file) ==
        "read_file: " + file +
            " is too long: it has 1099511627776 bytes, ReadLimits::max_bytes is 8589934592");
  CHECK(read_error("/dev/zero", {.max_bytes = 100'000}) ==
        "read_file: /dev/zero is too long: it has more than 100000 bytes, ReadLimits::max_bytes is 100000");
  CHECK(read_file("/dev/null").empty());
  CHECK(read_file("/proc/self/status").find("Name:") != std::string::npos);  // its size is said to be 0

  const std::string pipe = folder.path() / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  const std::string text(100'000, 'p');
  std::thread writer([&] {
    std::FILE* out = std::fopen(pipe.c_str(), "w");
    std::fwrite(text.data(), 1, text.size(), out);
    std::fclose(out);
  });
  const std::string bytes = read_file(pipe, {.max_bytes = 100'000});
  writer.join();
  CHECK(bytes == text);
}

TEST_CASE("writing says what it could not write, and why") {
  const TemporaryFolder folder;
  const std::string missing = folder.path() / "none" / "f";
  const std::string text = write_error(missing);
  CHECK(text.find("write_file_atomically: cannot create " + missing + ".") == 0);
  CHECK(text.find(".tmp: No such file or directory") != std::string::npos);
  CHECK(write_error(folder.path()) ==
        "write_file_atomically: cannot write " + folder.path().string() + ": Is a directory");
  CHECK(write_error("/dev/null") ==
        "write_file_atomically: cannot write /dev/null: it is there, and no regular file");
  CHECK(fs::is_character_file("/dev/null"));
  CHECK(files_in(folder.path()).empty());
}

TEST_CASE("a write that fails midway leaves the old file and nothing else") {
  const TemporaryFolder folder;
  const std::string file = folder.path() / "f";
  write_file_atomically(file, "old");
  std::string text;
  {
    const LongestFile disk(1000);
    text = write_error(file, std::string(5000, 'n'));
  }
  CHECK(text.find("write_file_atomically: cannot write " + file + ".") == 0);
  CHECK(text.find(".tmp: File too large") != std::string::npos);
  CHECK(file_text(file) == "old");
  CHECK(files_in(folder.path()) == std::set<std::string>{"f"});
}

TEST_CASE("a new file gets what the umask leaves, a replaced one keeps its permissions") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "f";
  {
    const Umask mask(027);
    write_file_atomically(file, "1");
    CHECK(permissions_of(file) == 0640);
  }
  fs::permissions(file, fs::perms{0604});
  const Umask mask(077);
  write_file_atomically(file, "2");
  CHECK(permissions_of(file) == 0604);
  CHECK(file_text(file) == "2");
}

TEST_CASE("a symbolic link stays, and its target is replaced") {
  const TemporaryFolder folder;
  fs::create_directory(folder.path() / "a");
  fs::create_directory(folder.path() / "b");
  // relative -> absolute -> a file that is not there yet
  fs::create_symlink("../b/second", folder.path() / "a" / "first");
  fs::create_symlink(folder.path() / "b" / "file", folder.path() / "b" / "second");
  for (const std::string bytes : {"new", "newer"}) {
    write_file_atomically(folder.path() / "a" / "first", bytes);
    CHECK(fs::is_symlink(folder.path() / "a" / "first"));
    CHECK(fs::is_symlink(folder.path() / "b" / "second"));
    CHECK(!fs::is_symlink(folder.path() / "b" / "file"));
    CHECK(file_text(folder.path() / "b" / "file") == bytes);
  }
  CHECK(files_in(folder.path() / "a") == std::set<std::string>{"first"});
  CHECK(files_in(folder.path() / "b") == std::set<std::string>{"file", "second"});

  const std::string loop = folder.path() / "loop";
  fs::create_symlink("loop", loop);
  CHECK(write_error(loop) ==
        "write_file_atomically: cannot write " + loop + ": Too many levels of symbolic links");
}

TEST_CASE("a file may have the longest name, and a temporary file left by a killed process is no obstacle") {
  const TemporaryFolder folder;
  const std::string name(255, 'n');
  write_file_atomically(folder.path() / name, "bytes");
  CHECK(file_text(folder.path() / name) == "bytes");
  CHECK(files_in(folder.path()) == std::set<std::string>{name});

  // The next hundred names that this process would choose; they are numbered in one sequence.
  std::string taken = write_error(folder.path() / "none" / "f");
  const std::size_t end = taken.find(".tmp");
  const std::size_t dash = taken.rfind('-', end);
  const int used = std::stoi(taken.substr(dash + 1, end - dash - 1));
  for (int i = 1; i <= 100; ++i) {
    write_file_atomically(folder.path() / fmt::format("f.{}-{}.tmp", ::getpid(), used + 100 + i), "stale");
  }
  write_file_atomically(folder.path() / "f", "bytes");
  CHECK(file_text(folder.path() / "f") == "bytes");
  CHECK(files_in(folder.path()).size() == 102);
}

TEST_CASE("threads that write the same file leave one of their versions whole") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "f";
  std::vector<std::thread> writers;
  for (char c = 'a'; c < 'e'; ++c) {
    writers.emplace_back([&, c] {
      for (int i = 0; i < 20; ++i) write_file_atomically(file, std::string(10'000, c));
    });
  }
  for (std::thread& writer : writers) writer.join();
  const std::string bytes = file_text(file);
  REQUIRE(bytes.size() == 10'000);
  CHECK(bytes == std::string(10'000, bytes[0]));
  CHECK(files_in(folder.path()) == std::set<std::string>{"f"});
}
