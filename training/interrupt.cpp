#include "xtgrad/training/interrupt.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <initializer_list>
#include <utility>

namespace xtgrad::inline v1::training {
namespace {

volatile std::sig_atomic_t received = 0;

constexpr unsigned seconds_to_end = 1;
std::atomic<const std::string*> soon = nullptr;  // an InterruptSoon's farewell
std::atomic<int> unfinished = 0;                 // files that are being written
struct sigaction alarm_before = {};

std::atomic<const InterruptAtOnce*> at_once = nullptr;
static_assert(std::atomic<const InterruptAtOnce*>::is_always_lock_free, "a handler reads it");

void say(const std::string& text) {
  // Of a line that cannot be written nobody can be told.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

/// From here on the program ends in a second, unless it has come to an end of its own.
void set_deadline() {
  if (soon.load() != nullptr && unfinished.load() == 0) ::alarm(seconds_to_end);
}

void take_signal(int signal) {
  const int error = errno;  // of what it has interrupted
  if (const InterruptAtOnce* scope = at_once.load(); scope != nullptr) {
    say(scope->farewell());
    // Delivered when the handler returns: SA_RESETHAND has put the default back.
    std::raise(signal);
  } else {
    received = signal;
    set_deadline();
  }
  errno = error;
}

void take_alarm(int /*signal*/) {
  const int error = errno;
  const std::string* const farewell = soon.load();
  if (farewell != nullptr && unfinished.load() == 0 && received != 0) {
    say(*farewell);
    std::raise(received);  // whose handler is gone
  }
  errno = error;
}

}  // namespace

void catch_interrupts() {
  struct sigaction action = {};
  action.sa_handler = take_signal;
  // One shot: the handler is gone when the second signal comes. Restarting spares every read and write a
  // check.
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  for (const int signal : {SIGINT, SIGTERM}) {
    struct sigaction before = {};
    // A program started with the signal ignored, as by nohup, goes on ignoring it.
    if (::sigaction(signal, nullptr, &before) == 0 && before.sa_handler != SIG_IGN) {
      ::sigaction(signal, &action, nullptr);
    }
  }
}

void throw_if_interrupted(const std::string& checkpoint) {
  if (received != 0) throw Interrupted{.checkpoint = checkpoint};
}

InterruptAtOnce::InterruptAtOnce(std::string farewell)
    : farewell_(std::move(farewell) + "\n"), before_(at_once.exchange(this)) {
  // From here on the handler ends the program; one that came before has left its note.
  if (received == 0) return;
  at_once = before_;
  throw_if_interrupted();
}

InterruptAtOnce::~InterruptAtOnce() { at_once = before_; }

InterruptSoon::InterruptSoon(std::string farewell) {
  set_farewell(std::move(farewell));
  struct sigaction action = {};
  action.sa_handler = take_alarm;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGALRM, &action, &alarm_before);
  if (received != 0) set_deadline();
}

InterruptSoon::~InterruptSoon() {
  soon = nullptr;
  ::alarm(0);
  ::sigaction(SIGALRM, &alarm_before, nullptr);
}

void InterruptSoon::set_farewell(std::string farewell) {
  farewells_.push_back(std::move(farewell) + "\n");
  soon = &farewells_.back();
}

FinishBeforeInterrupt::FinishBeforeInterrupt() {
  ++unfinished;
  if (soon.load() != nullptr) ::alarm(0);
}

FinishBeforeInterrupt::~FinishBeforeInterrupt() {
  --unfinished;
  if (received != 0) set_deadline();
}

void InterruptCheck::before_step(Trainer& /*trainer*/) { throw_if_interrupted(); }

void InterruptCheck::before_validation_batch(Trainer& /*trainer*/) { throw_if_interrupted(); }

void die_of_interrupt() {
  std::signal(received, SIG_DFL);
  std::raise(received);
  std::abort();
}

}  // namespace xtgrad::v1::training
