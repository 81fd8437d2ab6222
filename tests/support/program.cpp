#include "tests/support/program.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <system_error>

namespace xtgrad::inline v1::testing {
namespace {

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

using Clock = std::chrono::steady_clock;

/// Where the child's output arrives; -1 where nothing more will come.
struct Channels {
  int out = -1;
  int err = -1;
};

[[noreturn]] void become(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                         const ProgramOptions& options) {
  for (const std::string& setting : options.environment) {
    const std::size_t equals = setting.find('=');
    ::setenv(setting.substr(0, equals).c_str(), setting.substr(equals + 1).c_str(), 1);
  }
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  ::execv(program.c_str(), argv.data());
  ::_exit(127);
}

pid_t start_on_terminal(Channels& channels, const std::filesystem::path& program,
                        const std::vector<std::string>& arguments, const ProgramOptions& options) {
  winsize size{};
  size.ws_col = static_cast<unsigned short>(options.columns);
  size.ws_row = 24;
  const pid_t child = ::forkpty(&channels.out, nullptr, nullptr, &size);
  if (child < 0) fail("forkpty");
  if (child == 0) become(program, arguments, options);
  return child;
}

pid_t start_on_pipes(Channels& channels, const std::filesystem::path& program,
                     const std::vector<std::string>& arguments, const ProgramOptions& options) {
  std::array<int, 2> out{};
  std::array<int, 2> err{};
  if (::pipe(out.data()) != 0 || ::pipe(err.data()) != 0) fail("pipe");
  const pid_t child = ::fork();
  if (child < 0) fail("fork");
  if (child == 0) {
    const int file = options.stdout_file.empty() ? out[1] : ::open(options.stdout_file.c_str(), O_WRONLY);
    ::dup2(file, STDOUT_FILENO);
    ::dup2(err[1], STDERR_FILENO);
    for (const int end : {out[0], out[1], err[0], err[1]}) ::close(end);
    become(program, arguments, options);
  }
  ::close(out[1]);
  ::close(err[1]);
  channels = {.out = out[0], .err = err[0]};
  return child;
}

/// Appends what is there to `text`; closes the channel at its end.
void read_from(int& channel, std::string& text) {
  std::array<char, 4096> chunk{};
  const ssize_t n = ::read(channel, chunk.data(), chunk.size());
  if (n > 0) {
    text.append(chunk.data(), static_cast<std::size_t>(n));
  } else if (n == 0 || errno != EINTR) {  // a terminal ends with EIO
    ::close(channel);
    channel = -1;
  }
}

}  // namespace

ProgramResult run_program(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                          const ProgramOptions& options) {
  Channels channels;
  const pid_t child = options.terminal ? start_on_terminal(channels, program, arguments, options)
                                       : start_on_pipes(channels, program, arguments, options);
  ProgramResult result;
  bool to_be_signalled = options.signal > 0;
  std::optional<Clock::time_point> due;
  while (channels.out >= 0 || channels.err >= 0) {
    int patience = -1;
    if (to_be_signalled && !due && result.out.find(options.signal_after) != std::string::npos) {
      due = Clock::now() + options.signal_delay;
    }
    if (to_be_signalled && due) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*due - Clock::now());
      if (left.count() > 0) {
        patience = static_cast<int>(left.count());
      } else {
        ::kill(child, options.signal);
        to_be_signalled = false;
      }
    }
    std::array<pollfd, 2> waiting{pollfd{channels.out, POLLIN, 0}, pollfd{channels.err, POLLIN, 0}};
    if (::poll(waiting.data(), waiting.size(), patience) < 0 && errno != EINTR) fail("poll");
    if (waiting[0].revents != 0) read_from(channels.out, result.out);
    if (waiting[1].revents != 0) read_from(channels.err, result.err);
  }
  int status = 0;
  if (::waitpid(child, &status, 0) != child) fail("waitpid");
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return result;
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "xtgrad-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) fail("mkdtemp");
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string file_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("no such file: " + path.string());
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

}  // namespace xtgrad::testing
