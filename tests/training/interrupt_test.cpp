// How a signal ends a program that may not wait for what it does. The cases that are ended are this program's
// own, hidden from ctest.
#include "xtgrad/training/interrupt.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string>

#include "tests/support/program.h"

using namespace xtgrad;
using namespace xtgrad::testing;

namespace {

void say(const char* text) {
  std::puts(text);
  std::fflush(stdout);
}

/// A step that has no end.
[[noreturn]] void wait_for_ever() {
  for (;;) ::pause();
}

ProgramResult run_hidden(const std::string& name, int signal) {
  ProgramOptions options;
  options.signal = signal;
  options.signal_after = "ready";
  return run_program("/proc/self/exe", {"--no-skip", "--no-version", "--test-case=hidden: " + name}, options);
}

}  // namespace

TEST_CASE("hidden: a long step" * doctest::skip()) {
  training::catch_interrupts();
  const training::InterruptSoon soon("nothing is saved");
  say("ready");
  wait_for_ever();
}

TEST_CASE("hidden: a long step after a checkpoint" * doctest::skip()) {
  training::catch_interrupts();
  training::InterruptSoon soon("nothing is saved");
  soon.set_farewell("a checkpoint is");
  say("ready");
  wait_for_ever();
}

TEST_CASE("hidden: a short step" * doctest::skip()) {
  training::catch_interrupts();
  const training::InterruptSoon soon("not reached");
  say("ready");
  try {
    for (;;) training::throw_if_interrupted();
  } catch (const training::Interrupted&) {
    say("found");
  }
}

TEST_CASE("hidden: a file that is being written" * doctest::skip()) {
  training::catch_interrupts();
  const training::InterruptSoon soon("the next step");
  {
    const training::FinishBeforeInterrupt whole;
    say("ready");
    // Longer than the second.
    for (unsigned left = 2; left > 0;) left = ::sleep(left);
    say("written");
  }
  wait_for_ever();
}

TEST_CASE("hidden: a training that is over" * doctest::skip()) {
  training::catch_interrupts();
  { const training::InterruptSoon soon("not reached"); }
  say("ready");
  for (unsigned left = 2; left > 0;) left = ::sleep(left);
  say("saved");
}

TEST_CASE("interrupt: a step that goes on is ended, with what was said last") {
  for (const int signal : {SIGINT, SIGTERM}) {
    const ProgramResult long_step = run_hidden("a long step", signal);
    CHECK(long_step.exit_code == -signal);
    CHECK(long_step.err == "nothing is saved\n");
    const ProgramResult later = run_hidden("a long step after a checkpoint", signal);
    CHECK(later.exit_code == -signal);
    CHECK(later.err == "a checkpoint is\n");
  }
}

TEST_CASE("interrupt: a step that ends in time is followed by what the program does then") {
  const ProgramResult result = run_hidden("a short step", SIGINT);
  CHECK(result.exit_code == 0);
  CHECK(result.err.empty());
  CHECK(result.out.find("found\n") != std::string::npos);
}

TEST_CASE("interrupt: a file is written to its end") {
  const ProgramResult result = run_hidden("a file that is being written", SIGINT);
  CHECK(result.exit_code == -SIGINT);
  CHECK(result.err == "the next step\n");
  CHECK(result.out.find("written\n") != std::string::npos);
}

TEST_CASE("interrupt: a training that is over sets no deadline") {
  const ProgramResult result = run_hidden("a training that is over", SIGINT);
  CHECK(result.exit_code == 0);
  CHECK(result.out.find("saved\n") != std::string::npos);
}
