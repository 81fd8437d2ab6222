#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace train {

/// What the user asked for. The initial values are the defaults that `--help` shows.
struct Options {
  std::string data = "digits";
  std::string model = "mlp";
  std::string optimizer = "adam";
  double lr = 0;  ///< the optimizer's own default unless given, see `default_lr`
  std::int64_t epochs = 40;
  std::int64_t batch_size = 32;
  std::uint64_t seed = 0;
  std::string dtype = "float32";
  int threads = 0;  ///< as many as there are cores unless given
  std::string out = "out/train";
  bool quiet = false;
};

/// A learning rate that suits the optimizer; chosen on validation samples, see model.h.
[[nodiscard]] double default_lr(const std::string& optimizer);

struct CommandLine {
  std::optional<Options>
      options;        ///< absent if there is nothing to do: help was asked for, or a mistake made
  int exit_code = 0;  ///< then: 0 after help, 2 after bad usage
};

/// Reads the command line; prints help to stdout, and one line about a mistake to stderr.
[[nodiscard]] CommandLine parse_command_line(int argc, const char* const* argv);

}  // namespace train
