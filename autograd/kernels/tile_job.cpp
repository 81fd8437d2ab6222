#include "xtgrad/autograd/kernels/tile_job.h"

#include <algorithm>
#include <cstddef>

#include "xtgrad/autograd/core/ieee_arithmetic.h"

namespace xtgrad::inline v1::detail {

TileJob::TileJob(const TileWork& work, int threads)
    : work_(work),
      most_helpers_(static_cast<int>(std::min<std::int64_t>(threads, work.tiles)) - 1),
      shares_(std::min(most_helpers_ + 1, most_shares)) {
  // No product that could overflow: the first shares have one tile more.
  const std::int64_t length = work.tiles / shares_;
  const std::int64_t longer = work.tiles % shares_;
  std::int64_t begin = 0;
  for (int i = 0; i < shares_; ++i) {
    Share& share = share_[static_cast<std::size_t>(i)];
    share.next.store(begin, std::memory_order_relaxed);
    begin += length + (i < longer ? 1 : 0);
    share.end = begin;
  }
}

void TileJob::work_as(int member) {
  if (member > 0) control_.adopt();
  const SequentialScope no_threads_within;
  const IeeeArithmetic as_the_caller_computes;
  const int own = member == 0 || shares_ == 1 ? 0 : 1 + (member - 1) % (shares_ - 1);
  for (int i = 0; i < shares_; ++i) {
    Share& share = share_[static_cast<std::size_t>((own + i) % shares_)];
    // Read first: a share that others have emptied is not written to.
    while (share.next.load(std::memory_order_relaxed) < share.end) {
      const std::int64_t tile = share.next.fetch_add(1, std::memory_order_relaxed);
      if (tile >= share.end) break;
      run(tile);
    }
  }
}

void TileJob::run(std::int64_t tile) {
  if (tile > failed_tile_.load(std::memory_order_relaxed)) return;
  try {
    if (work_.hook != nullptr) work_.hook(tile);
    work_.body(work_.context, tile);
  } catch (...) {
    keep_failure(tile);
  }
}

void TileJob::keep_failure(std::int64_t tile) {
  const std::lock_guard lock(failure_mutex_);
  if (tile > failed_tile_.load(std::memory_order_relaxed)) return;
  failed_tile_.store(tile, std::memory_order_relaxed);
  failure_ = std::current_exception();
}

}  // namespace xtgrad::v1::detail
