#include "xtgrad/autograd/memory/pool_watermark.h"

#include <algorithm>

#include "xtgrad/autograd/memory/pool.h"

namespace xtgrad::inline v1::detail {
namespace {

constinit thread_local PoolWatermark* innermost = nullptr;

}  // namespace

PoolWatermark::PoolWatermark() : outer_(innermost) {
  set_pool_hidden(PoolHider::watermark, true);
  innermost = this;
}

PoolWatermark::~PoolWatermark() {
  PoolWatermark** at = &innermost;
  while (*at != nullptr && *at != this) at = &(*at)->outer_;
  if (*at != nullptr) *at = outer_;
  set_pool_hidden(PoolHider::watermark, innermost != nullptr);
}

std::int64_t PoolWatermark::take_rise() {
  const std::int64_t rise = peak_;
  level_ = peak_ = 0;
  return rise;
}

void note_in_watermarks(std::int64_t bytes) noexcept {
  for (PoolWatermark* each = innermost; each != nullptr; each = each->outer_) {
    each->level_ += bytes;
    each->peak_ = std::max(each->peak_, each->level_);
  }
}

}  // namespace xtgrad::v1::detail
