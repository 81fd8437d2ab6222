// A thread-local pool of memory blocks in size classes: graph nodes and tensor buffers come from here.
//
//   void* node = pool_allocate(144);  // from the calling thread's pool
//   pool_free(node);                  // on any thread; the block finds its way back
//
// Memory is recycled by size class and never returned to the system: a training step in its steady state asks
// the system for nothing. A block never changes its class, so a program holds the sum of its peaks by class.
//
// Layout. Memory comes in arenas of 32 MiB (or one arena for one larger block) aligned to 32 MiB, each owned
// by one pool. An arena is cut into units of 256 KiB; all blocks that *start* in one unit have one class. So
// masking an address finds the arena, its owner and the block's class; blocks need no header of their own,
// and a buffer of a power of two bytes is not rounded up to the next unit. The table sits at the head of the
// arena and not of each unit, because heads of units 256 KiB apart would all fall into one set of the caches.
//
// Under AddressSanitizer every block comes from malloc, so that a use after free is seen. All code that
// includes this header must then be built with it: a mixture does not link.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#define XTGRAD_POOL_PASSES_THROUGH 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define XTGRAD_POOL_PASSES_THROUGH 1
#endif
#endif
#ifndef XTGRAD_POOL_PASSES_THROUGH
#define XTGRAD_POOL_PASSES_THROUGH 0
#endif

namespace xtgrad::inline v1::detail {

static_assert(sizeof(std::size_t) == 8, "the size classes and the address masks assume 64-bit addresses");

struct PoolStats {
  std::int64_t live_bytes;      // class sizes of the blocks handed out and not returned, over all threads
  std::int64_t live_blocks;     // their number
  std::int64_t reserved_bytes;  // address space asked of the system; pages never touched take no memory
  std::int64_t growths;         // how often the system was asked
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

// While set, every block that this thread takes or gives back is told to its watermarks; see
// pool_watermark.h.
void set_pool_watched(bool watched);

inline constexpr std::size_t pool_arena_bytes = std::size_t{32} << 20;
inline constexpr std::size_t pool_unit_bytes = std::size_t{256} << 10;
// A class for every std::size_t, so that the fast path needs no check for sizes that cannot be served.
inline constexpr std::size_t pool_classes = 240;

// The class of a request: multiples of 16 up to 256, then four per doubling (320, 384, 448, 512, 640, ...). A
// request of a multiple of 64 gets a class that is one.
constexpr std::size_t pool_class_of(std::size_t bytes) {
  const std::size_t last = bytes - (bytes != 0 ? 1 : 0);
  if (last < 256) return last >> 4;
  const auto width = static_cast<std::size_t>(std::bit_width(last));
  return 16 + (width - 9) * 4 + ((last >> (width - 3)) & 3);
}

// The size of the blocks of a class.
constexpr std::size_t pool_class_bytes(std::size_t index) {
  if (index < 16) return (index + 1) * 16;
  return (5 + (index - 16) % 4) << (6 + (index - 16) / 4);
}

#if XTGRAD_POOL_PASSES_THROUGH

void* pool_passthrough_allocate(std::size_t bytes);
void pool_passthrough_free(void* block) noexcept;

[[nodiscard]] inline void* pool_allocate(std::size_t bytes) { return pool_passthrough_allocate(bytes); }
inline void pool_free(void* block) noexcept { pool_passthrough_free(block); }

#else

struct PoolBlock {
  PoolBlock* next;
};

struct PoolClass {
  PoolBlock* head = nullptr;
  // Blocks this thread took minus blocks this thread freed, wherever they came from: only the sum over all
  // pools means something, and no thread ever writes another one's counter.
  std::atomic<std::int64_t> balance = 0;

  // A load and a store, not a locked add: only the owner writes, others may read at any time.
  void count(std::int64_t change) {
    balance.store(balance.load(std::memory_order_relaxed) + change, std::memory_order_relaxed);
  }
};

// Blocks of a class that were never handed out.
struct PoolChunk {
  char* cursor = nullptr;
  char* end = nullptr;
};

// The memory of one thread. Never destroyed: when the thread ends, a later one adopts it.
struct alignas(64) Pool {
  PoolClass classes[pool_classes];
  // Blocks freed by other threads. On a cache line of its own, or they would slow the owner down.
  alignas(64) std::atomic<PoolBlock*> returned = nullptr;
  alignas(64) PoolChunk chunks[pool_classes];
  char* unused_begin = nullptr;  // the part of the newest arena that is not cut yet
  char* unused_end = nullptr;
  std::size_t colour = 0;
  Pool* next_pool = nullptr;
  Pool* next_orphan = nullptr;
};

// The head of each arena.
struct alignas(64) PoolArena {
  Pool* owner;
  std::uint8_t class_of_unit[pool_arena_bytes / pool_unit_bytes];
};

inline PoolArena* pool_arena_of(void* block) {
  // Not a cast back from an integer: the compiler would lose track of which object this points to.
  const std::uintptr_t offset = reinterpret_cast<std::uintptr_t>(block) & (pool_arena_bytes - 1);
  return reinterpret_cast<PoolArena*>(static_cast<char*>(block) - offset);
}

inline std::size_t pool_unit_of(const void* block) {
  return (reinterpret_cast<std::uintptr_t>(block) & (pool_arena_bytes - 1)) / pool_unit_bytes;
}

// Null before a thread's first allocation and after its end. constinit, or each access would call a wrapper
// that asks whether the variable is initialised; initial-exec, or a shared library would call __tls_get_addr.
extern constinit thread_local Pool* this_thread_pool __attribute__((tls_model("initial-exec")));

void* pool_allocate_slow(std::size_t bytes);
void pool_free_slow(void* block) noexcept;

// A block of at least `bytes` bytes, never null; aligned to 64 bytes if `bytes` is a multiple of 64 other
// than zero, else to 16. Throws std::bad_alloc.
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
  PoolArena* arena = pool_arena_of(block);
  Pool* pool = this_thread_pool;
  if (arena->owner != pool) [[unlikely]] {
    pool_free_slow(block);
    return;
  }
  PoolClass& blocks = pool->classes[arena->class_of_unit[pool_unit_of(block)]];
  blocks.head = ::new (block) PoolBlock{blocks.head};
  blocks.count(-1);
}

#endif

}  // namespace xtgrad::v1::detail
