#pragma once

#include <list>
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

/// While it lives the signal that comes ends the program at once, as its default does, after `farewell` and a
/// new line have been written to stderr: for what may take long and leaves nothing half done, such as reading
/// data or looking at a test set. Throws Interrupted if one has come before; does nothing without
/// `catch_interrupts`. They nest, and one at a time is made or ended, by the thread that runs the program.
class InterruptAtOnce {
 public:
  explicit InterruptAtOnce(std::string farewell);
  ~InterruptAtOnce();
  InterruptAtOnce(const InterruptAtOnce&) = delete;
  InterruptAtOnce& operator=(const InterruptAtOnce&) = delete;

  /// With the new line.
  [[nodiscard]] const std::string& farewell() const& { return farewell_; }
  [[nodiscard]] std::string farewell() const&& { return farewell_; }

 private:
  std::string farewell_;
  const InterruptAtOnce* before_;
};

/// While it lives what runs has a second to find the note of a signal, by `throw_if_interrupted`, before the
/// program is ended as by an InterruptAtOnce: for a training that saves its state between two steps, where a
/// step may take longer than anybody waits. Uses SIGALRM. One at a time lives, and no InterruptAtOnce in it;
/// does nothing without `catch_interrupts`.
class InterruptSoon {
 public:
  explicit InterruptSoon(std::string farewell);
  ~InterruptSoon();
  InterruptSoon(const InterruptSoon&) = delete;
  InterruptSoon& operator=(const InterruptSoon&) = delete;

  /// What is said from now on, when more has been saved.
  void set_farewell(std::string farewell);

 private:
  std::list<std::string> farewells_;  // all of them: a handler may have begun to read the one before
};

/// While it lives an InterruptSoon waits, and gives a second from its end on: for writing a file.
class FinishBeforeInterrupt {
 public:
  FinishBeforeInterrupt();
  ~FinishBeforeInterrupt();
  FinishBeforeInterrupt(const FinishBeforeInterrupt&) = delete;
  FinishBeforeInterrupt& operator=(const FinishBeforeInterrupt&) = delete;
};

/// Throws Interrupted out of `fit`, between two steps or two batches of a validation, if a signal has come.
class InterruptCheck final : public Callback {
 public:
  void before_step(Trainer& trainer) override;
  void before_validation_batch(Trainer& trainer) override;
};

}}}  // namespace xtgrad::v1::training
