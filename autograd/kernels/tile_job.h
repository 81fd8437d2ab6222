#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <exception>
#include <limits>
#include <mutex>

#include "xtgrad/autograd/core/float_control.h"
#include "xtgrad/autograd/kernels/parallel.h"

namespace xtgrad::inline v1::detail {

/// What is to be done with each tile of an operation.
struct TileWork {
  std::int64_t tiles = 0;
  void (*body)(void*, std::int64_t) = nullptr;
  void* context = nullptr;
  TileHook hook = nullptr;
};

/// The tiles of one operation, for several threads to take one by one.
///
/// They are cut into as many shares as threads may come, each of tiles that adjoin, so that a thread of the
/// same number finds in its cache what it has written in the operation before. Who has no more of its own
/// share takes from the others', so nothing waits for a thread that does not come.
class TileJob {
 public:
  TileJob(const TileWork& work, int threads);

  /// More would find nothing to do.
  [[nodiscard]] int most_helpers() const { return most_helpers_; }

  /// Takes tiles until none is left. 0 is the thread that the operation was called on; the others' numbers
  /// are above.
  void work_as(int member);

  /// After all have left: throws what a tile has thrown, of several the one of the lowest number. Tiles above
  /// it may not have run; those below have, so it is the same as on one thread.
  void rethrow_failure() const {
    if (failure_ != nullptr) std::rethrow_exception(failure_);
  }

 private:
  struct alignas(64) Share {
    std::atomic<std::int64_t> next{0};
    std::int64_t end = 0;
  };
  static constexpr int most_shares = 64;

  void run(std::int64_t tile);
  void keep_failure(std::int64_t tile);

  const TileWork work_;
  const FloatControl control_;
  const int most_helpers_;
  int shares_ = 0;
  std::array<Share, most_shares> share_;
  std::atomic<std::int64_t> failed_tile_{std::numeric_limits<std::int64_t>::max()};
  std::mutex failure_mutex_;
  std::exception_ptr failure_;
};

}  // namespace xtgrad::v1::detail
