#include "xtgrad/training/interrupt.h"

#include <csignal>
#include <cstdlib>
#include <initializer_list>

namespace xtgrad::inline v1::training {
namespace {

volatile std::sig_atomic_t received = 0;

void take_note(int signal) { received = signal; }

}  // namespace

void catch_interrupts() {
  struct sigaction action = {};
  action.sa_handler = take_note;
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

void InterruptCheck::before_step(Trainer& /*trainer*/) { throw_if_interrupted(); }

void die_of_interrupt() {
  std::signal(received, SIG_DFL);
  std::raise(received);
  std::abort();
}

}  // namespace xtgrad::v1::training
