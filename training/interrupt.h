#pragma once

#include <string>

#include "xtgrad/autograd/export.h"
#include "xtgrad/training/callback.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace training {

/// From now on Ctrl-C (SIGINT) and SIGTERM only take a note, so that no file is left half-written; a second
/// one ends the program at once. For the main of a program, which owns its signals.
void catch_interrupts();

/// Thrown where the program finds such a note.
struct Interrupted {
  std::string checkpoint = {};  ///< the file that was written for it; empty if none was
};

/// Throws Interrupted if a signal has come.
void throw_if_interrupted(const std::string& checkpoint = {});

/// Ends the program by the signal that came, as its caller expects: a shell script stops, too.
[[noreturn]] void die_of_interrupt();

/// Throws Interrupted out of `fit`, between two steps, if a signal has come.
class InterruptCheck final : public Callback {
 public:
  void before_step(Trainer& trainer) override;
};

}}}  // namespace xtgrad::v1::training
