#include "xtgrad/autograd/core/random_streams.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <vector>

#include "xtgrad/autograd/memory/process_locks.h"

namespace xtgrad::inline v1::detail {
namespace {

/// Guarded by the process's lock, and never destroyed: threads may end after the static objects.
struct Streams {
  std::uint64_t seed = 0;
  std::uint64_t given = 0;  // their numbers are 1 and up; the first is the thread's that seeds, or main's
  bool first_is_mains = true;
  std::vector<std::uint64_t> held;  // the seeds of all threads' streams
};

Streams& streams() {
  static auto& all = *new Streams;
  return all;
}

bool is_main_thread() {
#ifdef __linux__
  return gettid() == getpid();
#else
  return pthread_main_np() != 0;
#endif
}

/// A one-to-one map of 64 bits, 0 to 0: numbers of streams become keys that have nothing in common, and never
/// two the same. Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
std::uint64_t mixed(std::uint64_t bits) {
  bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
  bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
  return bits ^ (bits >> 31);
}

std::uint64_t seed_of_given(std::uint64_t seed, std::uint64_t number) { return seed ^ mixed(2 * number); }
std::uint64_t seed_of_named(std::uint64_t seed, std::uint64_t name) { return seed ^ mixed(2 * name + 1); }

}  // namespace

RandomStream::~RandomStream() {
  if (!holds_) return;
  const std::lock_guard lock(process_lock(ProcessLock::random_streams));
  std::vector<std::uint64_t>& held = streams().held;
  held.erase(std::find(held.begin(), held.end(), seed_));
}

std::uint64_t RandomStream::take_next() {
  const std::lock_guard lock(process_lock(ProcessLock::random_streams));
  Streams& all = streams();
  if (all.first_is_mains && is_main_thread()) return hold(all.seed);
  std::uint64_t number = all.given;
  std::uint64_t next = 0;
  do next = seed_of_given(all.seed, ++number);
  while (std::find(all.held.begin(), all.held.end(), next) != all.held.end());
  hold(next);
  all.given = number;
  return next;
}

std::uint64_t RandomStream::seed_process(std::uint64_t seed) {
  const std::lock_guard lock(process_lock(ProcessLock::random_streams));
  hold(seed);
  Streams& all = streams();
  all.seed = seed;
  all.given = 0;
  all.first_is_mains = false;
  return seed;
}

std::uint64_t RandomStream::take_named(std::int64_t name) {
  const std::lock_guard lock(process_lock(ProcessLock::random_streams));
  return hold(seed_of_named(streams().seed, static_cast<std::uint64_t>(name)));
}

std::uint64_t RandomStream::hold(std::uint64_t seed) {
  std::vector<std::uint64_t>& held = streams().held;
  if (holds_) {
    *std::find(held.begin(), held.end(), seed_) = seed;
  } else {
    held.push_back(seed);
    holds_ = true;
  }
  return seed_ = seed;
}

}  // namespace xtgrad::v1::detail
