#pragma once

#include <cstdint>

#include "xtgrad/autograd/memory/pool_layout.h"
#include "xtgrad/autograd/memory/process_locks.h"

#if !XTGRAD_POOL_PASSES_THROUGH

namespace xtgrad::inline v1::detail {

/// Guards the list of pools and the store. Nothing else is locked while it is held, but for the calls to the
/// system that it is held for.
extern constinit ProcessMutex& pool_mutex;

/// Small blocks of threads whose pool is gone already (static and thread_local objects destroyed late).
/// Allocating needs late_pool_mutex, which is locked before pool_mutex; freeing goes through `returned`. Its
/// balances are atomic adds, for it has many writers.
extern constinit Pool late_pool;
extern constinit ProcessMutex& late_pool_mutex;

/// All functions below are called with pool_mutex held.

/// The pool of a thread that has ended, null if there is none.
Pool* adopt_pool();
/// A pool that no thread has had before.
void add_pool(Pool* pool);
/// The thread has ended.
void orphan_pool(Pool* pool);
/// All pools without a thread, in a list by next_orphan, which are orphans no more.
Pool* take_orphans();

void for_each_pool(void (*f)(Pool&));

struct PoolLive {
  std::int64_t bytes = 0;
  std::int64_t blocks = 0;
};
/// What is handed out, over all pools, of classes up to this one.
PoolLive live_in_pools(std::size_t last_class = pool_classes - 1);

}  // namespace xtgrad::v1::detail

#endif
