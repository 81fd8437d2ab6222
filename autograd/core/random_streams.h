#pragma once

#include <cstdint>

namespace xtgrad::inline v1::detail {

/// A thread's place among the process's random streams, whose seeds follow from the process's own and a
/// number. No two threads are given the same stream by the process, be it seeded anew with the same number
/// while they live; a stream that somebody names is given to whoever names it.
class RandomStream {
 public:
  RandomStream() = default;
  /// Others may have what it had.
  ~RandomStream();
  RandomStream(const RandomStream&) = delete;
  RandomStream& operator=(const RandomStream&) = delete;

  /// Each of these makes it the thread's, in place of what it had, and returns the stream's seed. The next
  /// that no thread holds: the first, whose seed is the process's own, is kept for the thread that runs
  /// `main`, unless another has seeded the process.
  std::uint64_t take_next();
  /// The first, once the process is seeded so. Other threads keep what they have.
  std::uint64_t seed_process(std::uint64_t seed);
  /// That of a name, 0 or above, which no thread is given that does not ask for it.
  std::uint64_t take_named(std::int64_t name);

 private:
  std::uint64_t hold(std::uint64_t seed);

  std::uint64_t seed_ = 0;
  bool holds_ = false;
};

}  // namespace xtgrad::v1::detail
