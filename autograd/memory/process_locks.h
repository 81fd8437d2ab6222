// The locks of the whole process, in one table, so that a child of fork() finds each of them free.
//
//   const std::lock_guard lock(process_lock(ProcessLock::pool));
//
// fork() copies the thread that calls it and no other, so a lock that another thread holds at that moment
// would stay locked in the child for ever. So fork() first takes all of them, and both processes release
// them: what they guard is whole in the child, too. Locks of single objects are ForkedMutex.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace xtgrad::inline v1::detail {

/// A thread that holds one may take those that stand after it, and fork() takes them in this order.
enum class ProcessLock : std::size_t {
  listing,         // of a model's members
  orphans,         // parameters that no model lists
  random_streams,  // which thread draws from which
  workers,         // whether the threads that help operations have been thought of
  blas,            // libraries whose calls may not overlap
  fourier_plans,   // what transforms of a length are made of
  late_pool,       // the pool of threads that have ended
  pool,            // the pools of all threads
};

inline constexpr std::size_t process_locks = 8;

/// Recursive: a model's `members` may ask its parts for theirs, and may even fork.
using ProcessMutex = std::recursive_mutex;

extern constinit std::array<ProcessMutex, process_locks> process_mutexes;

inline ProcessMutex& process_lock(ProcessLock which) {
  return process_mutexes[static_cast<std::size_t>(which)];
}

extern constinit std::atomic<std::uint32_t> forks_above;

/// How many forks lie between this process and the one that loaded the library: what remembers the number
/// it began with knows whether the threads that it knows of exist.
inline std::uint32_t fork_generation() { return forks_above.load(std::memory_order_relaxed); }

/// The mutex of one object among many. A child of fork() finds it free, though what it guards is as another
/// thread left it when it was in the middle of changing it.
class ForkedMutex {
 public:
  void lock() {
    if (generation_.load(std::memory_order_acquire) != fork_generation()) renew();
    mutex_.lock();
  }
  void unlock() { mutex_.unlock(); }

 private:
  void renew();

  std::mutex mutex_;
  std::atomic<std::uint32_t> generation_{fork_generation()};
};

}  // namespace xtgrad::v1::detail
