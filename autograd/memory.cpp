#include "xtgrad/autograd/memory.h"

#include "xtgrad/autograd/memory/pool.h"

namespace xtgrad::inline v1 {

std::int64_t memory_in_use() { return detail::pool_stats().live_bytes; }

std::int64_t memory_reserved() { return detail::pool_stats().held_bytes; }

std::int64_t peak_memory() { return detail::pool_peak_bytes(); }

void reset_peak_memory() { detail::reset_pool_peak(); }

void release_cached_memory() { detail::release_idle_pool_memory(); }

std::int64_t memory_cache_limit() { return detail::pool_idle_limit(); }

void set_memory_cache_limit(std::int64_t bytes) { detail::set_pool_idle_limit(bytes); }

}  // namespace xtgrad::v1
