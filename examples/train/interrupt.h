#pragma once

#include <string>

namespace train {

/// From now on Ctrl-C (SIGINT) and SIGTERM only take a note, so that no file is left half-written; a second
/// one ends the program at once.
void catch_interrupts();

/// Thrown where the program finds such a note.
struct Interrupted {
  std::string checkpoint = {};  ///< the file that was written for it; empty if none was
};

/// Throws Interrupted if a signal has come.
void throw_if_interrupted(const std::string& checkpoint = {});

/// Ends the program by the signal that came, as its caller expects: a shell script stops, too.
[[noreturn]] void die_of_interrupt();

}  // namespace train
