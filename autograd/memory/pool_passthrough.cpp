#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <limits>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/memory/pool.h"
#include "xtgrad/autograd/memory/pool_watermark.h"
#include "xtgrad/autograd/memory/system_memory.h"

#if XTGRAD_POOL_PASSES_THROUGH

namespace xtgrad::inline v1::detail {
namespace {

// Beyond a tebibyte the sanitizer ends the program instead of returning an error.
constexpr std::size_t largest_request = std::size_t{1} << 39;

constinit std::atomic<std::int64_t> live_bytes = 0;
constinit std::atomic<std::int64_t> live_blocks = 0;
constinit std::atomic<std::int64_t> peak_bytes = 0;
constinit std::atomic<std::int64_t> idle_limit = -1;

void count(std::size_t bytes, std::int64_t change) {
  const auto size = static_cast<std::int64_t>(pool_class_bytes(pool_class_of(bytes)));
  const std::int64_t live = live_bytes.fetch_add(change * size, std::memory_order_relaxed) + change * size;
  live_blocks.fetch_add(change, std::memory_order_relaxed);
  std::int64_t peak = peak_bytes.load(std::memory_order_relaxed);
  while (peak < live && !peak_bytes.compare_exchange_weak(peak, live, std::memory_order_relaxed)) {
  }
  note_in_watermarks(change * size);
}

[[noreturn]] void throw_out_of_memory(std::size_t bytes) {
  constexpr std::size_t most = std::numeric_limits<std::int64_t>::max();
  throw OutOfMemory(static_cast<std::int64_t>(std::min(bytes, most)),
                    live_bytes.load(std::memory_order_relaxed));
}

}  // namespace

void set_pool_hidden(PoolHider, bool) {}

void* pool_passthrough_allocate(std::size_t bytes) {
  fail_if_asked_to(PoolRequest::block);
  if (bytes > largest_request) throw_out_of_memory(bytes);
  const std::size_t alignment = bytes % 64 == 0 ? 64 : 16;
  // Not aligned_alloc, which wants whole multiples of the alignment: no slack may hide a read past the end.
  void* block = nullptr;
  if (posix_memalign(&block, alignment, std::max<std::size_t>(bytes, 1)) != 0) throw_out_of_memory(bytes);
  count(malloc_usable_size(block), 1);
  return block;
}

void pool_passthrough_free(void* block) noexcept {
  if (block == nullptr) return;
  count(malloc_usable_size(block), -1);
  std::free(block);
}

void set_pool_fault_hook(PoolFaultHook hook) {
  keep_fault_hook(nullptr);
  set_pool_hidden(PoolHider::fault_hook, hook != nullptr);
  keep_fault_hook(hook);
}

PoolStats pool_stats() {
  const std::int64_t live = live_bytes.load(std::memory_order_relaxed);
  return {.live_bytes = live,
          .live_blocks = live_blocks.load(std::memory_order_relaxed),
          .held_bytes = live,
          .reserved_bytes = 0,
          .growths = 0,
          .returns = 0};
}

std::int64_t pool_peak_bytes() { return peak_bytes.load(std::memory_order_relaxed); }

void reset_pool_peak() {
  peak_bytes.store(live_bytes.load(std::memory_order_relaxed), std::memory_order_relaxed);
}

void release_idle_pool_memory() {}

void set_pool_idle_limit(std::int64_t bytes) { idle_limit.store(bytes, std::memory_order_relaxed); }

std::int64_t pool_idle_limit() { return idle_limit.load(std::memory_order_relaxed); }

}  // namespace xtgrad::v1::detail

#endif
