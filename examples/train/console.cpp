#include "console.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "recipes.h"

namespace train {
namespace {

bool is_terminal() { return ::isatty(STDOUT_FILENO) != 0; }

}  // namespace

void say(const Options& options, const std::string& line) {
  if (options.quiet) return;
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

Phase::Phase(const Options& options, const std::string& text)
    : columns_(options.quiet || !is_terminal() ? 0 : text.size() + 4) {
  if (columns_ > 0) {
    fmt::print("{} ...", text);
    std::fflush(stdout);
  } else if (are_files(options.data)) {
    say(options, text);
  }
}

Phase::~Phase() {
  if (columns_ == 0) return;
  fmt::print("\r{:{}}\r", "", columns_);
  std::fflush(stdout);
}

std::string farewell(const Options& options, const std::string& what) {
  return fmt::format("{}train: interrupted{}", options.quiet || !is_terminal() ? "" : "\n", what);
}

std::string of_checkpoint(const std::string& checkpoint) {
  return checkpoint.empty() ? without_checkpoint : fmt::format(", --resume goes on from {}", checkpoint);
}

}  // namespace train
