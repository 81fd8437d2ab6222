#include "xtgrad/autograd/memory/pool.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <mutex>
#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/memory/idle_units.h"
#include "xtgrad/autograd/memory/magazines.h"
#include "xtgrad/autograd/memory/pool_list.h"
#include "xtgrad/autograd/memory/pool_store.h"
#include "xtgrad/autograd/memory/pool_watermark.h"
#include "xtgrad/autograd/memory/system_memory.h"

#if XTGRAD_POOL_PASSES_THROUGH
#include <malloc.h>

#include <cstdlib>
#endif

namespace xtgrad::inline v1::detail {
namespace {

[[noreturn]] void throw_out_of_memory(std::size_t bytes) {
  constexpr std::size_t most = std::numeric_limits<std::int64_t>::max();
  throw OutOfMemory(static_cast<std::int64_t>(std::min(bytes, most)), pool_stats().live_bytes);
}

}  // namespace

void set_pool_fault_hook(PoolFaultHook hook) {
  keep_fault_hook(nullptr);
  set_pool_hidden(PoolHider::fault_hook, hook != nullptr);
  keep_fault_hook(hook);
}

}  // namespace xtgrad::v1::detail

#if !XTGRAD_POOL_PASSES_THROUGH

namespace xtgrad::inline v1::detail {

constinit thread_local Pool* this_thread_pool = nullptr;

namespace {

// More than any address space holds; larger sizes would overflow the arithmetic below.
constexpr std::size_t largest_request = std::size_t{1} << 46;
// New blocks are linked in portions of about this size, just before they are used and still in the cache.
constexpr std::size_t portion_bytes = 4096;
constexpr std::size_t spaced_from = 4096;

// How often all threads were asked to release what they do not use.
constinit std::atomic<unsigned> calls_to_release = 0;
constinit thread_local bool thread_has_ended = false;
// The pool of a thread with a fault hook or a watermark: with this_thread_pool null, every request takes the
// slow path.
constinit thread_local Pool* hidden_pool = nullptr;
constinit thread_local unsigned hiders = 0;

std::size_t stride_of(std::size_t index) {
  const std::size_t bytes = pool_class_bytes(index);
  return bytes + (bytes >= spaced_from ? pool_spacing : 0);
}

/// Gives back what this thread keeps at hand of larger blocks.
void empty_kept(Pool& pool) {
  if (pool.kept_bytes == 0) return;
  const std::lock_guard lock(pool_mutex);
  for (PoolBlock*& head : pool.kept) {
    while (head != nullptr) pool_store.give(std::exchange(head, head->next));
  }
  pool.kept_bytes = 0;
}

/// Gives back what the pool does not use, and what pools of other threads do not, running, asleep or ended.
/// Null for a thread without one.
void release_unused(Pool* pool) {
  if (pool != nullptr) {
    empty_kept(*pool);
    return_idle_units(*pool);
  }
  Pool* orphans = nullptr;
  {
    const std::lock_guard lock(pool_mutex);
    orphans = take_orphans();
  }
  while (orphans != nullptr) {
    Pool* orphan = std::exchange(orphans, orphans->next_orphan);
    return_idle_units(*orphan);
    const std::lock_guard lock(pool_mutex);
    orphan_pool(orphan);
  }
  take_idle_units_of_threads();
}

void release_everything(Pool* pool) {
  calls_to_release.fetch_add(1, std::memory_order_relaxed);
  if (pool != nullptr) pool->seen_calls = calls_to_release.load(std::memory_order_relaxed);
  release_unused(pool);
  const std::lock_guard lock(pool_mutex);
  pool_store.release();
}

void follow_calls_to_release(Pool& pool) {
  const unsigned calls = calls_to_release.load(std::memory_order_relaxed);
  if (pool.seen_calls == calls) return;
  pool.seen_calls = calls;
  empty_kept(pool);
  return_idle_units(pool);
}

/// Calls `take` under the lock, at first without growth, and in the end when everything idle is given back.
/// Throws if it returns null even then, and says that so many bytes were asked for.
template <class Take>
auto take_from_store(Pool* pool, std::size_t bytes, Take take) {
  const auto locked = [&](PoolStore::Growth growth) {
    const std::lock_guard lock(pool_mutex);
    return take(growth);
  };
  if (auto found = locked(PoolStore::Growth::refused)) return found;
  bool wants_units = false;
  {
    const std::lock_guard lock(pool_mutex);
    wants_units = pool_store.wants_units();
  }
  if (wants_units) {
    release_unused(pool);
    const std::lock_guard lock(pool_mutex);
    pool_store.units_were_wanted();
  }
  if (auto found = locked(PoolStore::Growth::allowed)) return found;
  release_everything(pool);
  if (auto found = locked(PoolStore::Growth::allowed)) return found;
  throw_out_of_memory(bytes);
}

void open_chunk(Pool& pool, std::size_t index) {
  struct Found : UnitList::Room {
    explicit operator bool() const { return begin != nullptr; }
  };
  const std::size_t stride = stride_of(index);
  std::size_t fit = 0;
  const Found room = take_from_store(&pool, pool_class_bytes(index), [&](PoolStore::Growth growth) {
    const Found found{pool_store.take_unit(pool, pool.classes[index], growth)};
    if (found) {
      fit = static_cast<std::size_t>(found.end - found.begin) / stride;
      pool_unit_of(found.begin).fit = static_cast<std::uint32_t>(fit);
    }
    return found;
  });
  pool.chunks[index] = {room.begin, room.begin + fit * stride};
}

// Puts the next portion of the class's chunk on its free list, lowest address first.
void cut_portion(Pool& pool, std::size_t index) {
  if (pool.chunks[index].cursor == pool.chunks[index].end) open_chunk(pool, index);
  // What was released to make room for the chunk may have been of this class.
  PoolChunk& chunk = pool.chunks[index];
  const std::size_t stride = stride_of(index);
  const std::size_t left = static_cast<std::size_t>(chunk.end - chunk.cursor) / stride;
  const std::size_t count = std::clamp<std::size_t>(portion_bytes / stride, 1, left);
  std::atomic<std::uint32_t>& cut = pool_unit_of(chunk.cursor).cut;  // which nobody else changes
  cut.store(cut.load(std::memory_order_relaxed) + static_cast<std::uint32_t>(count),
            std::memory_order_relaxed);
  PoolBlock* list = nullptr;
  for (std::size_t i = count; i-- > 0;) list = ::new (chunk.cursor + i * stride) PoolBlock{list};
  PoolClass& blocks = pool.classes[index];
  if (blocks.head == nullptr) {
    blocks.set_list(list, static_cast<std::int64_t>(count), magazine_blocks(index));
  } else {
    while (list != nullptr) add_free(pool, blocks, std::exchange(list, list->next));
  }
  chunk.cursor += count * stride;
}

PoolBlock* take_small(Pool& pool, std::size_t index) {
  PoolClass& blocks = pool.classes[index];
  while (blocks.head == nullptr && !open_magazine(pool, index)) {
    collect_returned(pool);
    if (blocks.head != nullptr || open_magazine(pool, index)) break;
    follow_calls_to_release(pool);
    cut_portion(pool, index);
  }
  PoolBlock* block = blocks.head;
  blocks.head = block->next;
  return block;
}

/// A block that is not small. `pool` is null for a thread that has ended.
void* take_large(Pool* pool, std::size_t index) {
  if (pool != nullptr) {
    if (index <= last_kept_class) {
      PoolBlock*& head = pool->kept[index - last_small_class - 1];
      if (head != nullptr) {
        pool->kept_bytes -= pool_class_bytes(index);
        return std::exchange(head, head->next);
      }
    }
    follow_calls_to_release(*pool);
  }
  return take_from_store(pool, pool_class_bytes(index),
                         [index](PoolStore::Growth growth) { return pool_store.take(index, growth); });
}

void give_large(Pool* pool, void* block, std::size_t index) {
  if (pool != nullptr && index <= last_kept_class) {
    const std::size_t bytes = pool_class_bytes(index);
    // All of them, so that none stays that is of no use: a step that needs more pays for one lock each time.
    if (pool->kept_bytes + bytes > most_kept_bytes) empty_kept(*pool);
    PoolBlock*& head = pool->kept[index - last_small_class - 1];
    head = ::new (block) PoolBlock{head};
    pool->kept_bytes += bytes;
    return;
  }
  const std::lock_guard lock(pool_mutex);
  pool_store.give(block);
}

std::size_t class_of_large(void* block) {
  const PoolArena* arena = pool_arena_of(block);
  return arena->kind == ArenaKind::mapping ? arena->class_index : heap_block_of(block)->class_index;
}

Pool* create_pool() {
  void* place = map_pages(sizeof(Pool));
  if (place == nullptr) {
    release_everything(nullptr);
    place = map_pages(sizeof(Pool));
  }
  if (place == nullptr) throw_out_of_memory(sizeof(Pool));
  return ::new (place) Pool;
}

// Hands the thread's pool on. Objects destroyed after this one use late_pool.
struct PoolOfThread {
  PoolOfThread() {
    {
      const std::lock_guard lock(pool_mutex);
      this_thread_pool = adopt_pool();
    }
    if (this_thread_pool != nullptr) return;
    Pool* pool = create_pool();
    const std::lock_guard lock(pool_mutex);
    add_pool(pool);
    this_thread_pool = pool;
  }

  ~PoolOfThread() {
    empty_kept(*this_thread_pool);
    return_idle_units(*this_thread_pool);
    const std::lock_guard lock(pool_mutex);
    orphan_pool(std::exchange(this_thread_pool, nullptr));
    thread_has_ended = true;
  }

  PoolOfThread(const PoolOfThread&) = delete;
  PoolOfThread& operator=(const PoolOfThread&) = delete;
};

Pool* pool_in_use() { return hidden_pool != nullptr ? hidden_pool : this_thread_pool; }

}  // namespace

void set_pool_hidden(PoolHider who, bool hidden) {
  const auto bit = static_cast<unsigned>(who);
  const unsigned wanted = hidden ? hiders | bit : hiders & ~bit;
  if ((wanted != 0) != (hiders != 0)) {
    if (!hidden) {
      this_thread_pool = std::exchange(hidden_pool, nullptr);
    } else {
      if (this_thread_pool == nullptr) pool_free(pool_allocate_slow(1));  // makes the pool
      hidden_pool = std::exchange(this_thread_pool, nullptr);
    }
  }
  hiders = wanted;
}

void* pool_allocate_slow(std::size_t bytes) {
  if (bytes > largest_request) throw_out_of_memory(bytes);
  const std::size_t index = pool_class_of(bytes);
  const auto take = [index](Pool* pool) -> void* {
    return index <= last_small_class ? take_small(*pool, index) : take_large(pool, index);
  };
  if (hidden_pool != nullptr) {
    fail_if_asked_to(PoolRequest::block);
    void* block = take(hidden_pool);
    hidden_pool->classes[index].count(1);
    note_in_watermarks(static_cast<std::int64_t>(pool_class_bytes(index)));
    return block;
  }
  if (this_thread_pool == nullptr) {
    if (thread_has_ended) {
      const std::lock_guard lock(late_pool_mutex);
      void* block = index <= last_small_class ? take_small(late_pool, index) : take_large(nullptr, index);
      late_pool.classes[index].balance.fetch_add(1, std::memory_order_relaxed);
      return block;
    }
    [[maybe_unused]] static thread_local PoolOfThread pool_of_thread;
  }
  void* block = take(this_thread_pool);
  this_thread_pool->classes[index].count(1);
  return block;
}

void pool_fill_magazine(Pool& pool, PoolClass& blocks) noexcept { put_aside(pool, blocks); }

void pool_free_slow(void* memory) noexcept {
  const PoolUnit& unit = pool_unit_of(memory);
  const bool is_small = pool_arena_of(memory)->kind == ArenaKind::units;
  Pool* owner = is_small ? unit.owner : nullptr;
  const std::size_t index =
      is_small ? static_cast<std::size_t>(unit.blocks - owner->classes) : class_of_large(memory);
  if (hidden_pool != nullptr) note_in_watermarks(-static_cast<std::int64_t>(pool_class_bytes(index)));
  Pool* pool = pool_in_use();
  if (pool != nullptr) {
    PoolClass& blocks = pool->classes[index];
    blocks.count(-1);
    if (owner != pool) --blocks.full_at;  // its own list stays as it is
  } else {
    // A thread that only frees gets no pool: that could throw.
    late_pool.classes[index].balance.fetch_sub(1, std::memory_order_relaxed);
  }
  if (!is_small) {
    give_large(pool, memory, index);
    return;
  }
  if (owner == pool) {  // a hidden one
    PoolClass& blocks = owner->classes[index];
    blocks.head = ::new (memory) PoolBlock{blocks.head};
    if (blocks.is_full()) put_aside(*owner, blocks);
    return;
  }
  auto* block = ::new (memory) PoolBlock{nullptr};
  return_blocks(*owner, block, block);
}

PoolStats pool_stats() {
  const SystemCounts system = system_counts();
  const std::lock_guard lock(pool_mutex);
  const PoolLive live = live_in_pools();
  return {.live_bytes = live.bytes,
          .live_blocks = live.blocks,
          .held_bytes = static_cast<std::int64_t>(pool_store.held_bytes()),
          .reserved_bytes = system.reserved_bytes,
          .growths = system.growths,
          .returns = system.returns};
}

std::int64_t pool_peak_bytes() {
  const std::lock_guard lock(pool_mutex);
  return pool_store.peak_bytes();
}

void reset_pool_peak() {
  const std::lock_guard lock(pool_mutex);
  pool_store.reset_peak();
}

void release_idle_pool_memory() { release_everything(pool_in_use()); }

void set_pool_idle_limit(std::int64_t bytes) {
  const std::lock_guard lock(pool_mutex);
  pool_store.set_idle_limit(bytes);
}

std::int64_t pool_idle_limit() {
  const std::lock_guard lock(pool_mutex);
  return pool_store.idle_limit();
}

}  // namespace xtgrad::v1::detail

#else

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
