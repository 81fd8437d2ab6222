#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>

namespace xtgrad::inline v1::testing {

/// How a child of fork() ended.
struct ChildEnd {
  bool hung = false;
  int code = -1;  // -1 where a signal ended it
};

/// Runs `work`, which returns an exit code, in a child of fork(), which ends by _exit, or by the clock after
/// `seconds`. An exception is code 99.
template <class Work>
ChildEnd in_child(Work work, unsigned seconds = 60) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGALRM, SIG_DFL);
    alarm(seconds);
    int code = 99;
    try {
      code = work();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "in the child: %s\n", error.what());
    }
    _exit(code);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return {};
  if (WIFSIGNALED(status)) return {.hung = WTERMSIG(status) == SIGALRM, .code = -1};
  return {.hung = false, .code = WEXITSTATUS(status)};
}

}  // namespace xtgrad::testing
