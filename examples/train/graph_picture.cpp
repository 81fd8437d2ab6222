#include "graph_picture.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <system_error>
#include <thread>

#include "files.h"
#include "xtgrad/autograd/graph.h"
#include "xtgrad/autograd/io/file.h"
#include "xtgrad/training/interrupt.h"

extern char** environ;

namespace train {
namespace {

namespace fs = std::filesystem;

enum class Drawn { yes, no_program, failed };

/// Runs `dot -Tsvg source -o target`, without a shell: a path may hold any character.
Drawn run_dot(const fs::path& source, const fs::path& target) {
  // Absolute, for a relative path could begin with a dash and pass for an option.
  std::string from = fs::absolute(source).string();
  std::string to = fs::absolute(target).string();
  std::string program = "dot";
  std::string format = "-Tsvg";
  std::string output = "-o";
  const std::array<char*, 6> arguments{program.data(), format.data(), from.data(),
                                       output.data(),  to.data(),     nullptr};
  // Its warnings, about fonts for instance, are none of our user's business.
  posix_spawn_file_actions_t silence;
  ::posix_spawn_file_actions_init(&silence);
  ::posix_spawn_file_actions_addopen(&silence, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int error = ::posix_spawnp(&child, "dot", &silence, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&silence);
  if (error != 0) return error == ENOENT ? Drawn::no_program : Drawn::failed;
  int status = 0;
  // Looked at again and again: a large graph takes it minutes, and who interrupts us does not wait for that.
  for (pid_t ended = 0; ended != child;) {
    ended = ::waitpid(child, &status, WNOHANG);
    if (ended < 0 && errno != EINTR) return Drawn::failed;
    if (ended != 0) continue;
    try {
      xtgrad::training::throw_if_interrupted();
    } catch (...) {
      ::kill(child, SIGKILL);
      ::waitpid(child, &status, 0);
      std::error_code ignored;
      fs::remove(target, ignored);
      throw;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? Drawn::yes : Drawn::failed;
}

}  // namespace

std::string draw_graph(const xtgrad::Graph& graph, const std::string& title, const fs::path& folder) {
  const fs::path dot = path_of(Output::graph, folder);
  const fs::path svg = path_of(Output::graph_picture, folder);
  xtgrad::write_file_atomically(dot, to_dot(graph, {.title = title}));
  std::error_code error;
  // A picture of an earlier run would not be of this graph.
  fs::remove(svg, error);

  // Under another name first: dot itself would leave half a picture if it were stopped.
  const fs::path unfinished = fmt::format("{}.{}.tmp", svg.string(), ::getpid());
  const Drawn drawn = run_dot(dot, unfinished);
  if (drawn == Drawn::yes) {
    fs::rename(unfinished, svg, error);
    if (!error) return fmt::format("{}, {}", dot.string(), svg.string());
  }
  fs::remove(unfinished, error);
  return fmt::format(
      "{} (no picture: {})", dot.string(),
      drawn == Drawn::no_program ? "graphviz's dot is not installed" : "graphviz's dot failed");
}

}  // namespace train
