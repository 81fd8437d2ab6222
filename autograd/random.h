#pragma once

#include <array>
#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// A counter-based random generator: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as
/// easy as 1, 2, 3", SC 2011). A draw is a pure function of seed, stream position and element, so the same
/// seed gives the same bits on every run and for any number of threads, and a position can be saved and
/// restored.
class Random {
 public:
  explicit Random(std::uint64_t seed) : seed_(seed) {}

  /// 128 random bits: block `index` of the draw at `position`.
  [[nodiscard]] static std::array<std::uint32_t, 4> block(std::uint64_t seed, std::uint64_t position,
                                                          std::uint64_t index);

  /// Takes the next position; every tensor drawn takes one.
  std::uint64_t advance();
  /// A generator of its own, seeded by this one's next draw.
  [[nodiscard]] Random split();

  /// One number in [0, 1) with 53 random bits; takes one position.
  double next_uniform();
  /// One standard normal number; takes one position.
  double next_normal();
  /// One integer in [0, n), without bias; takes one position. Throws ValueError for n < 1.
  std::int64_t next_below(std::int64_t n);

  [[nodiscard]] std::uint64_t seed() const { return seed_; }
  [[nodiscard]] std::uint64_t position() const { return position_; }
  /// Seed and position as int64 [2], of the same bits; the same handle until the generator moves on. Whoever
  /// records what a thread computes sees draws that read it, and `advance` make it anew.
  [[nodiscard]] Tensor state() const;
  /// Continues from a saved position.
  void set_state(std::uint64_t seed, std::uint64_t position) {
    seed_ = seed;
    position_ = position;
  }

 private:
  std::uint64_t seed_;
  std::uint64_t position_ = 0;
  mutable Tensor state_;  // of this position, or of an earlier one; made when it is asked for
};

/// This thread's generator, for layers and tensors that are given none. Its seed follows from the process's,
/// which is 0 at start, and the place of the thread's first draw among those of all threads, so that no two
/// threads draw the same numbers, and programs are reproducible where these first draws have an order. That
/// of the thread that runs `main` is the process's seed itself. No thread that the library starts draws from
/// it.
Random& default_random();

/// Seeds the process: this thread's generator is `Random(seed)` anew, and threads that draw for the first
/// time from now on get theirs from this seed, in the order of their first draws. Threads that have drawn
/// before keep what they have.
void manual_seed(std::uint64_t seed);

/// Restarts this thread's generator as the one that the process's seed has for this number, whatever other
/// threads do: what makes threads reproducible whose first draws have no order. It is none that a thread gets
/// without asking. Throws ValueError below 0.
void seed_this_thread(std::int64_t stream);

}}  // namespace xtgrad::v1
