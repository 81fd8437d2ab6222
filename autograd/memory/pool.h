// Memory blocks in size classes: graph nodes and tensor buffers come from here.
//
//   void* node = pool_allocate(144);  // from the calling thread's pool
//   pool_free(node);                  // on any thread; the block finds its way back
//
// Small blocks come from a pool of the thread, without a lock, and go back to it, from whichever thread.
// Larger ones come from a store of the process (pool_store.h), where they serve every thread and size; a few
// of them each thread keeps at hand. A training step in its steady state asks the system for nothing, and
// what lies idle is bounded and goes back to the system.
//
// Under AddressSanitizer every block comes from malloc, so that a use after free is seen. All code that
// includes this header must then be built with it: a mixture does not link.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#include "xtgrad/autograd/memory/pool_layout.h"

namespace xtgrad::inline v1::detail {

struct PoolStats {
  std::int64_t live_bytes;      // class sizes of the blocks handed out and not returned, over all threads
  std::int64_t live_blocks;     // their number
  std::int64_t held_bytes;      // of memory, for live blocks and idle: what was given back does not count
  std::int64_t reserved_bytes;  // address space asked of the system; pages never touched take no memory
  std::int64_t growths;         // how often the system was asked
  std::int64_t returns;         // how often it was given something back
};

// Exact when no other thread is inside the pool, else a snapshot that may be off by the calls in flight.
// Under AddressSanitizer only the live numbers are kept.
PoolStats pool_stats();

// Who asks for memory: a caller for a block, or the pool for a mapping from the system.
enum class PoolRequest { block, mapping };

// Asked before each request; true makes it fail with std::bad_alloc.
using PoolFaultHook = bool (*)(PoolRequest request);

// For tests of what happens when memory runs out: sets the hook of the calling thread, null for none. It
// costs nothing while there is none: a thread with a hook is kept off the pool's fast path. Set null again
// before the thread ends.
void set_pool_fault_hook(PoolFaultHook hook);

// Takes this thread off the fast path, or back, once nobody wants it hidden any more.
enum class PoolHider : unsigned { fault_hook = 1, watermark = 2 };
void set_pool_hidden(PoolHider who, bool hidden);

// The most bytes that were live at once since the last reset, as far as the store of the process saw it:
// blocks that a thread takes from what it has at hand are noticed a little later.
std::int64_t pool_peak_bytes();
void reset_pool_peak();

// Gives back to the system all that lies idle in the store, with this thread's pool and in pools of other
// threads, running, asleep or ended, but for what those keep for themselves (magazine_blocks,
// most_kept_bytes): that they give back the next time they need more than they have at hand.
void release_idle_pool_memory();

// How many bytes may lie idle in the store; negative for the pool's own rule (pool_store.h).
void set_pool_idle_limit(std::int64_t bytes);
std::int64_t pool_idle_limit();

#if XTGRAD_POOL_PASSES_THROUGH

void* pool_passthrough_allocate(std::size_t bytes);
void pool_passthrough_free(void* block) noexcept;

[[nodiscard]] inline void* pool_allocate(std::size_t bytes) { return pool_passthrough_allocate(bytes); }
inline void pool_free(void* block) noexcept { pool_passthrough_free(block); }

#else

// Null before a thread's first allocation and after its end. constinit, or each access would call a wrapper
// that asks whether the variable is initialised; initial-exec, or a shared library would call __tls_get_addr.
extern constinit thread_local Pool* this_thread_pool __attribute__((tls_model("initial-exec")));

void* pool_allocate_slow(std::size_t bytes);
void pool_free_slow(void* memory) noexcept;
// Puts the free blocks of the class aside, where other threads can get at them.
void pool_fill_magazine(Pool& pool, PoolClass& blocks) noexcept;

// A block of at least `bytes` bytes, never null; aligned to 64 bytes if `bytes` is a multiple of 64 other
// than zero, else to 16. Throws OutOfMemory.
[[nodiscard, gnu::returns_nonnull]] inline void* pool_allocate(std::size_t bytes) {
  if (Pool* pool = this_thread_pool) [[likely]] {
    PoolClass& blocks = pool->classes[pool_class_of(bytes)];
    if (PoolBlock* block = blocks.head) [[likely]] {
      blocks.head = block->next;
      blocks.count(1);
      return block;
    }
  }
  return pool_allocate_slow(bytes);
}

// Gives a block back, from any thread, also after the thread-local objects are gone. Null is allowed.
inline void pool_free(void* block) noexcept {
  if (block == nullptr) return;
  PoolUnit& unit = pool_unit_of(block);
  if (unit.owner != this_thread_pool) [[unlikely]] {
    pool_free_slow(block);
    return;
  }
  PoolClass& blocks = *unit.blocks;
  blocks.head = ::new (block) PoolBlock{blocks.head};
  if (blocks.count(-1) <= blocks.full_at) [[unlikely]]
    pool_fill_magazine(*unit.owner, blocks);
}

#endif

}  // namespace xtgrad::v1::detail
