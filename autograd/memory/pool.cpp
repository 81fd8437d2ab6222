#include "xtgrad/autograd/memory/pool.h"

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <utility>

#include "xtgrad/autograd/memory/pool_watermark.h"
#include "xtgrad/autograd/memory/process_locks.h"

#if XTGRAD_POOL_PASSES_THROUGH
#include <malloc.h>
#else
#include <sys/mman.h>
#endif

namespace xtgrad::inline v1::detail {

namespace {

constinit thread_local PoolFaultHook fault_hook = nullptr;
constinit thread_local bool is_watched = false;

void fail_if_asked_to(PoolRequest request) {
  if (fault_hook != nullptr && fault_hook(request)) throw std::bad_alloc();
}

/// Takes this thread off the fast path, or back.
void hide_pool(bool hides);

}  // namespace

void set_pool_fault_hook(PoolFaultHook hook) {
  fault_hook = nullptr;
  hide_pool(hook != nullptr || is_watched);
  fault_hook = hook;
}

void set_pool_watched(bool watched) {
  hide_pool(fault_hook != nullptr || watched);
  is_watched = watched;
}

#if XTGRAD_POOL_PASSES_THROUGH

namespace {

// Beyond a tebibyte the sanitizer ends the program instead of returning an error.
constexpr std::size_t largest_request = std::size_t{1} << 39;

constinit std::atomic<std::int64_t> live_bytes = 0;
constinit std::atomic<std::int64_t> live_blocks = 0;

void count(std::size_t bytes, std::int64_t change) {
  const auto size = static_cast<std::int64_t>(pool_class_bytes(pool_class_of(bytes)));
  live_bytes.fetch_add(change * size, std::memory_order_relaxed);
  live_blocks.fetch_add(change, std::memory_order_relaxed);
  note_in_watermarks(change * size);
}

void hide_pool(bool) {}

}  // namespace

void* pool_passthrough_allocate(std::size_t bytes) {
  fail_if_asked_to(PoolRequest::block);
  if (bytes > largest_request) throw std::bad_alloc();
  const std::size_t alignment = bytes % 64 == 0 ? 64 : 16;
  // Not aligned_alloc, which wants whole multiples of the alignment: no slack may hide a read past the end.
  void* block = nullptr;
  if (posix_memalign(&block, alignment, std::max<std::size_t>(bytes, 1)) != 0) throw std::bad_alloc();
  count(malloc_usable_size(block), 1);
  return block;
}

void pool_passthrough_free(void* block) noexcept {
  if (block == nullptr) return;
  count(malloc_usable_size(block), -1);
  std::free(block);
}

PoolStats pool_stats() {
  return {.live_bytes = live_bytes.load(std::memory_order_relaxed),
          .live_blocks = live_blocks.load(std::memory_order_relaxed),
          .reserved_bytes = 0,
          .growths = 0};
}

#else

constinit thread_local Pool* this_thread_pool = nullptr;

namespace {

constexpr std::size_t cache_line = 64;
// More than any address space holds; larger sizes would overflow the arithmetic below.
constexpr std::size_t largest_request = std::size_t{1} << 46;
// Larger blocks get an arena of their own: they would leave too much of a common one unused.
constexpr std::size_t largest_shared = pool_arena_bytes / 4;
// New blocks are linked in portions of about this size, just before they are used and still in the cache.
constexpr std::size_t portion_bytes = 4096;
// Buffers whose addresses agree in the low 12 bits compete for one cache set, and a load waits for an
// unrelated store. So buffers of a page or more are spaced by an odd number of lines, which visits all 64
// line offsets.
constexpr std::size_t spacing = 5 * cache_line;
constexpr std::size_t spaced_from = 4096;

// Blocks of threads whose pool is gone already (static and thread_local objects destroyed late). Allocating
// needs the lock; freeing goes through `returned`. Its balances are atomic adds, for it has many writers.
constinit Pool late_pool;
constinit ProcessMutex& mutex = process_mutexes[static_cast<std::size_t>(ProcessLock::pool)];
constinit Pool* all_pools = nullptr;  // guarded by the mutex, as is the next
constinit Pool* orphans = nullptr;
constinit std::atomic<std::int64_t> reserved_bytes = 0;
constinit std::atomic<std::int64_t> growths = 0;
constinit thread_local bool thread_has_ended = false;
// The pool of a thread with a fault hook or a watermark: with this_thread_pool null, every request takes the
// slow path.
constinit thread_local Pool* hidden_pool = nullptr;

std::size_t stride_of(std::size_t index) {
  const std::size_t bytes = pool_class_bytes(index);
  return bytes + (bytes >= spaced_from ? spacing : 0);
}

char* align_to_line(char* address) {
  return address + (0 - reinterpret_cast<std::uintptr_t>(address)) % cache_line;
}

// Asks the system for `bytes` aligned to an arena.
char* map_aligned(std::size_t bytes) {
  fail_if_asked_to(PoolRequest::mapping);
  const std::size_t mapped = bytes + pool_arena_bytes;
  // No MAP_NORESERVE: a size that cannot be had should throw here rather than end the program on first use.
  void* memory = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  char* first = static_cast<char*>(memory);
  const std::size_t skipped = (0 - reinterpret_cast<std::uintptr_t>(memory)) % pool_arena_bytes;
  if (skipped != 0) munmap(first, skipped);
  munmap(first + skipped + bytes, pool_arena_bytes - skipped);
#ifdef MADV_HUGEPAGE
  // Page faults are most of the cost of building a large graph. Advice only: refusal does no harm.
  madvise(first + skipped, bytes, MADV_HUGEPAGE);
#endif
  reserved_bytes.fetch_add(static_cast<std::int64_t>(bytes), std::memory_order_relaxed);
  growths.fetch_add(1, std::memory_order_relaxed);
  return first + skipped;
}

// The offset at which the next arena starts, different each time for the same reason as spacing.
std::size_t next_colour(Pool& pool) {
  pool.colour = (pool.colour + spacing) % (64 * cache_line);
  return pool.colour;
}

// Cuts an arena for one block. Rounded up to 64 KiB and no further: a last part shorter than a huge page is
// then backed by small pages, as far as it is used.
void open_own_arena(Pool& pool, std::size_t index) {
  const std::size_t offset = sizeof(PoolArena) + next_colour(pool);
  const std::size_t stride = stride_of(index);
  constexpr std::size_t granule = std::size_t{64} << 10;
  char* base = map_aligned((offset + stride + granule - 1) / granule * granule);
  auto* arena = ::new (base) PoolArena{.owner = &pool, .class_of_unit = {}};
  arena->class_of_unit[0] = static_cast<std::uint8_t>(index);
  pool.chunks[index] = {base + offset, base + offset + stride};
}

// Takes as many blocks as can start in the current unit. Afterwards the uncut part begins in a later unit, in
// which no block starts yet, or at the end of the arena.
void open_chunk(Pool& pool, std::size_t index) {
  const std::size_t stride = stride_of(index);
  if (stride > largest_shared) {
    open_own_arena(pool, index);
    return;
  }
  if (static_cast<std::size_t>(pool.unused_end - pool.unused_begin) < stride) {
    char* base = map_aligned(pool_arena_bytes);
    ::new (base) PoolArena{.owner = &pool, .class_of_unit = {}};
    pool.unused_begin = base + sizeof(PoolArena) + next_colour(pool);
    pool.unused_end = base + pool_arena_bytes;
  }
  char* begin = pool.unused_begin;
  const std::size_t unit = pool_unit_of(begin);
  PoolArena* arena = pool_arena_of(begin);
  char* unit_end = reinterpret_cast<char*>(arena) + (unit + 1) * pool_unit_bytes;
  const std::size_t starts = (static_cast<std::size_t>(unit_end - begin) + stride - 1) / stride;
  const std::size_t fit = static_cast<std::size_t>(pool.unused_end - begin) / stride;
  char* end = begin + std::min(starts, fit) * stride;
  arena->class_of_unit[unit] = static_cast<std::uint8_t>(index);
  pool.chunks[index] = {begin, end};
  // In the last unit the blocks may end early; what remains there must not be cut for another class.
  pool.unused_begin = std::max(align_to_line(end), unit_end);
}

// Sorts the blocks that other threads freed into the free lists.
void collect_returned(Pool& pool) {
  if (pool.returned.load(std::memory_order_relaxed) == nullptr) return;
  PoolBlock* block = pool.returned.exchange(nullptr, std::memory_order_acquire);
  while (block != nullptr) {
    PoolBlock* next = block->next;
    PoolClass& blocks = pool.classes[pool_arena_of(block)->class_of_unit[pool_unit_of(block)]];
    block->next = blocks.head;
    blocks.head = block;
    block = next;
  }
}

// Puts the next portion of the class's chunk on its empty free list, lowest address first.
void cut_portion(Pool& pool, std::size_t index) {
  PoolChunk& chunk = pool.chunks[index];
  if (chunk.cursor == chunk.end) open_chunk(pool, index);
  const std::size_t stride = stride_of(index);
  const std::size_t left = static_cast<std::size_t>(chunk.end - chunk.cursor) / stride;
  const std::size_t count = std::clamp<std::size_t>(portion_bytes / stride, 1, left);
  PoolBlock* head = nullptr;
  for (std::size_t i = count; i-- > 0;) head = ::new (chunk.cursor + i * stride) PoolBlock{head};
  pool.classes[index].head = head;
  chunk.cursor += count * stride;
}

PoolBlock* take(Pool& pool, std::size_t index) {
  PoolClass& blocks = pool.classes[index];
  if (blocks.head == nullptr) collect_returned(pool);
  if (blocks.head == nullptr) cut_portion(pool, index);
  PoolBlock* block = blocks.head;
  blocks.head = block->next;
  return block;
}

// A pool lives at the head of its first arena, so that it needs no other allocator.
Pool* create_pool() {
  char* base = map_aligned(pool_arena_bytes);
  auto* pool = ::new (base + sizeof(PoolArena)) Pool;
  ::new (base) PoolArena{.owner = pool, .class_of_unit = {}};
  pool->unused_begin = base + sizeof(PoolArena) + sizeof(Pool);
  pool->unused_end = base + pool_arena_bytes;
  return pool;
}

// Hands the thread's pool on. Objects destroyed after this one use late_pool.
struct PoolOfThread {
  PoolOfThread() {
    const std::lock_guard lock(mutex);
    if (orphans != nullptr) {
      this_thread_pool = orphans;
      orphans = orphans->next_orphan;
      return;
    }
    Pool* pool = create_pool();
    pool->next_pool = all_pools;
    all_pools = pool;
    this_thread_pool = pool;
  }

  ~PoolOfThread() {
    const std::lock_guard lock(mutex);
    this_thread_pool->next_orphan = orphans;
    orphans = this_thread_pool;
    this_thread_pool = nullptr;
    thread_has_ended = true;
  }

  PoolOfThread(const PoolOfThread&) = delete;
  PoolOfThread& operator=(const PoolOfThread&) = delete;
};

void hide_pool(bool hides) {
  if (hides == (hidden_pool != nullptr)) return;
  if (!hides) {
    this_thread_pool = std::exchange(hidden_pool, nullptr);
    return;
  }
  if (this_thread_pool == nullptr) pool_free(pool_allocate_slow(1));  // makes the pool
  hidden_pool = std::exchange(this_thread_pool, nullptr);
}

}  // namespace

void* pool_allocate_slow(std::size_t bytes) {
  if (bytes > largest_request) throw std::bad_alloc();
  const std::size_t index = pool_class_of(bytes);
  if (hidden_pool != nullptr) {
    fail_if_asked_to(PoolRequest::block);
    PoolBlock* block = take(*hidden_pool, index);
    hidden_pool->classes[index].count(1);
    note_in_watermarks(static_cast<std::int64_t>(pool_class_bytes(index)));
    return block;
  }
  if (this_thread_pool == nullptr) {
    if (thread_has_ended) {
      const std::lock_guard lock(mutex);
      PoolBlock* block = take(late_pool, index);
      late_pool.classes[index].balance.fetch_add(1, std::memory_order_relaxed);
      return block;
    }
    [[maybe_unused]] static thread_local PoolOfThread pool_of_thread;
  }
  PoolBlock* block = take(*this_thread_pool, index);
  this_thread_pool->classes[index].count(1);
  return block;
}

void pool_free_slow(void* memory) noexcept {
  PoolArena* arena = pool_arena_of(memory);
  const std::size_t index = arena->class_of_unit[pool_unit_of(memory)];
  if (Pool* pool = hidden_pool) {
    note_in_watermarks(-static_cast<std::int64_t>(pool_class_bytes(index)));
    PoolClass& blocks = pool->classes[index];
    blocks.count(-1);
    if (arena->owner == pool) {
      blocks.head = ::new (memory) PoolBlock{blocks.head};
      return;
    }
  } else if (this_thread_pool != nullptr) {
    this_thread_pool->classes[index].count(-1);
  } else {
    // A thread that only frees gets no pool: that could throw.
    late_pool.classes[index].balance.fetch_sub(1, std::memory_order_relaxed);
  }
  std::atomic<PoolBlock*>& returned = arena->owner->returned;
  PoolBlock* head = returned.load(std::memory_order_relaxed);
  auto* block = ::new (memory) PoolBlock{head};
  // Release: the owner must see the link, and all that this thread did to the block before.
  while (!returned.compare_exchange_weak(head, block, std::memory_order_release, std::memory_order_relaxed)) {
    block->next = head;
  }
}

PoolStats pool_stats() {
  PoolStats stats{.live_bytes = 0,
                  .live_blocks = 0,
                  .reserved_bytes = reserved_bytes.load(std::memory_order_relaxed),
                  .growths = growths.load(std::memory_order_relaxed)};
  const auto add = [&stats](const Pool& pool) {
    for (std::size_t i = 0; i < pool_classes; ++i) {
      const std::int64_t blocks = pool.classes[i].balance.load(std::memory_order_relaxed);
      if (blocks == 0) continue;
      stats.live_blocks += blocks;
      stats.live_bytes += blocks * static_cast<std::int64_t>(pool_class_bytes(i));
    }
  };
  const std::lock_guard lock(mutex);
  add(late_pool);
  for (const Pool* pool = all_pools; pool != nullptr; pool = pool->next_pool) add(*pool);
  return stats;
}

#endif

}  // namespace xtgrad::v1::detail
