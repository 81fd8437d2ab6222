#pragma once

#include <cstdint>

namespace xtgrad::inline v1::detail {

/// While it lives, notes how much memory this thread takes from the pool and gives back. It costs nothing
/// while there is none: a thread with one is kept off the pool's fast path. They nest, and end in the reverse
/// order, on the thread on which they began.
class PoolWatermark {
 public:
  PoolWatermark();
  ~PoolWatermark();
  PoolWatermark(const PoolWatermark&) = delete;
  PoolWatermark& operator=(const PoolWatermark&) = delete;

  /// The most bytes, by classes of blocks, that the thread has had more since the last call, or the
  /// beginning, than it had then. Not negative.
  std::int64_t take_rise();

 private:
  friend void note_in_watermarks(std::int64_t bytes) noexcept;

  PoolWatermark* outer_;
  std::int64_t level_ = 0;
  std::int64_t peak_ = 0;
};

/// For the pool: a block of so many bytes was taken or, if negative, given back.
void note_in_watermarks(std::int64_t bytes) noexcept;

}  // namespace xtgrad::v1::detail
