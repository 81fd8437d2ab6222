#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace xtgrad::inline v1::testing {

struct ProgramResult {
  int exit_code = -1;  ///< negative: the signal that ended it
  std::string out;
  std::string err;
};

struct ProgramOptions {
  /// Sees a terminal of `columns` on stdout and stderr, both of which end up in `out`, rather than two pipes.
  bool terminal = false;
  int columns = 100;
  /// The file that stdout goes to, instead of `out`; not with a terminal.
  std::string stdout_file = {};
  /// Of the environment, as "NAME=value"; those of the test itself come after them.
  std::vector<std::string> environment = {};
  /// If positive: the signal that is sent `signal_delay` after `out` first held `signal_after`, unless the
  /// program has ended by then.
  int signal = 0;
  std::string signal_after = {};
  std::chrono::milliseconds signal_delay{0};
};

/// Runs a program (no shell) to its end.
ProgramResult run_program(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                          const ProgramOptions& options = {});

/// A new folder for temporary files, removed at the end of the scope.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// The whole file; throws std::runtime_error if there is none.
std::string file_text(const std::filesystem::path& path);

/// Text without its line ends, one string a line.
std::vector<std::string> lines_of(const std::string& text);

}  // namespace xtgrad::testing
