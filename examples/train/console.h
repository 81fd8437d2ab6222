#pragma once

#include <cstddef>
#include <string>

#include "options.h"

namespace train {

/// Prints a line unless the user wants quiet.
void say(const Options& options, const std::string& line);

/// Tells of something that may take a while, while it lives: on a terminal in a line that goes when it ends,
/// and elsewhere in a line that stays, where data are files; those that come with the program are soon read
/// and looked at.
class Phase {
 public:
  Phase(const Options& options, const std::string& text);
  ~Phase();
  Phase(const Phase&) = delete;
  Phase& operator=(const Phase&) = delete;

 private:
  std::size_t columns_;
};

/// What a run says on stderr when a signal ends it. The line of a bar, or of a phase, is ended first.
[[nodiscard]] std::string farewell(const Options& options, const std::string& what);
inline constexpr const char* before_training = " before the training began";
inline constexpr const char* before_checkpoint = " before the first checkpoint was written";
inline constexpr const char* without_checkpoint =
    ", weights and report were not saved; a run with --checkpoint-every N can be resumed";
/// Of a run that has written one; without_checkpoint for an empty name.
[[nodiscard]] std::string of_checkpoint(const std::string& checkpoint);

}  // namespace train
