#include "xtgrad/autograd/memory/process_locks.h"

#include <pthread.h>

#include <new>

namespace xtgrad::inline v1::detail {

constinit std::array<ProcessMutex, process_locks> process_mutexes{};
constinit std::atomic<std::uint32_t> forks_above{0};

namespace {

void lock_all() {
  for (ProcessMutex& mutex : process_mutexes) mutex.lock();
}

void unlock_all() {
  for (std::size_t i = process_locks; i-- > 0;) process_mutexes[i].unlock();
}

void begin_child() {
  forks_above.fetch_add(1, std::memory_order_relaxed);
  // The owner of a recursive mutex is known by its number in the system, which is another one in the child:
  // unlocking would be refused. So each is made anew; nobody can be waiting for it.
  for (ProcessMutex& mutex : process_mutexes) ::new (&mutex) ProcessMutex;
}

/// Where memory for the handlers lacks, the program is one that has no luck with fork(), and no worse.
[[maybe_unused]] const int registered = pthread_atfork(lock_all, unlock_all, begin_child);

}  // namespace

void ForkedMutex::renew() {
  // The last of the table, which a thread may take whatever it holds.
  const std::lock_guard lock(process_lock(ProcessLock::pool));
  if (generation_.load(std::memory_order_relaxed) == fork_generation()) return;
  ::new (&mutex_) std::mutex;
  generation_.store(fork_generation(), std::memory_order_release);
}

}  // namespace xtgrad::v1::detail
