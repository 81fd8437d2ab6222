#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace train {

/// What the user asked for. The initial values are the defaults that `--help` shows; those that depend on
/// the data and the model (see recipes.h) are filled in by `parse_command_line`.
struct Options {
  std::string data = "digits";
  std::string data_dir = {};  ///< looked for unless given
  std::string model = "mlp";
  bool augment = false;
  std::string optimizer = "adam";
  double lr = 0;
  std::string schedule = "constant";
  std::int64_t warmup = 0;  ///< steps
  std::int64_t epochs = 0;
  std::int64_t batch_size = 0;
  std::uint64_t seed = 0;
  std::string dtype = "float32";
  std::int64_t workers = 0;
  int threads = 0;  ///< as many as there are cores unless given
  /// Steps; 0: never. If absent, as in the run that is resumed, if there is one, and else never.
  std::optional<std::int64_t> checkpoint_every = std::nullopt;
  bool replay = false;  ///< of the captured step, in place of building its graph
  bool resume = false;
  std::string out = "out/train";
  std::string explore = {};  ///< file of the page that steps through a training step; none if empty
  bool quiet = false;
};

struct CommandLine {
  std::optional<Options>
      options;        ///< absent if there is nothing to do: help was asked for, or a mistake made
  int exit_code = 0;  ///< then: 0 after help, 2 after bad usage
};

/// Reads the command line; prints help to stdout, and one line about a mistake to stderr.
[[nodiscard]] CommandLine parse_command_line(int argc, const char* const* argv);

}  // namespace train
