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

std::atomic<const InterruptAtOnce*> at_once = nullptr;
static_assert(std::atomic<const InterruptAtOnce*>::is_always_lock_free, "a handler reads it");

void take_signal(int signal) {
  const int error = errno;  // of what it has interrupted
  if (const InterruptAtOnce* scope = at_once.load(); scope != nullptr) {
    const std::string& text = scope->farewell();
    // Of a line that cannot be written nobody can be told.
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    // Delivered when the handler returns: SA_RESETHAND has put the default back.
    std::raise(signal);
  } else {
    received = signal;
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

void InterruptCheck::before_step(Trainer& /*trainer*/) { throw_if_interrupted(); }

void InterruptCheck::before_validation_batch(Trainer& /*trainer*/) { throw_if_interrupted(); }

void die_of_interrupt() {
  std::signal(received, SIG_DFL);
  std::raise(received);
  std::abort();
}

}  // namespace xtgrad::v1::training
