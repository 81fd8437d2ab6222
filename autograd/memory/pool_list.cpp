#include "xtgrad/autograd/memory/pool_list.h"

#include <utility>

#if !XTGRAD_POOL_PASSES_THROUGH

namespace xtgrad::inline v1::detail {

constinit ProcessMutex& pool_mutex = process_mutexes[static_cast<std::size_t>(ProcessLock::pool)];
constinit Pool late_pool;
constinit ProcessMutex& late_pool_mutex = process_mutexes[static_cast<std::size_t>(ProcessLock::late_pool)];

namespace {

constinit Pool* all_pools = nullptr;
constinit Pool* orphans = nullptr;

}  // namespace

Pool* adopt_pool() {
  Pool* pool = orphans;
  if (pool != nullptr) orphans = pool->next_orphan;
  return pool;
}

void add_pool(Pool* pool) {
  pool->next_pool = all_pools;
  all_pools = pool;
}

void orphan_pool(Pool* pool) {
  pool->next_orphan = orphans;
  orphans = pool;
}

Pool* take_orphans() { return std::exchange(orphans, nullptr); }

void for_each_pool(void (*f)(Pool&)) {
  for (Pool* pool = all_pools; pool != nullptr; pool = pool->next_pool) f(*pool);
}

PoolLive live_in_pools(std::size_t last_class) {
  PoolLive live;
  const auto add = [&](const Pool& pool) {
    for (std::size_t i = 0; i <= last_class; ++i) {
      const std::int64_t blocks = pool.classes[i].balance.load(std::memory_order_relaxed);
      if (blocks == 0) continue;
      live.blocks += blocks;
      live.bytes += blocks * static_cast<std::int64_t>(pool_class_bytes(i));
    }
  };
  add(late_pool);
  for (const Pool* pool = all_pools; pool != nullptr; pool = pool->next_pool) add(*pool);
  return live;
}

}  // namespace xtgrad::v1::detail

#endif
