// How the pool's memory is laid out: arenas, the units and blocks in them, and what a thread keeps.
//
// Memory comes in arenas of 32 MiB (or one arena for one larger block) aligned to 32 MiB, so masking an
// address finds the arena. There are three kinds:
//
// - units: cut into units of 256 KiB. A unit belongs to one thread's pool and holds small blocks of one
// class,
//   so they need no header of their own. A unit whose blocks are all free can go to another class or thread.
// - blocks: larger blocks of all classes, with a header each, split and joined again (block_heap.h).
// - mapping: one block that is too large for those (mapping_list.h).
//
// The table of units sits at the head of the arena and not of each unit, because heads of units 256 KiB apart
// would all fall into one set of the caches.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "xtgrad/autograd/sanitizers.h"

// The address sanitizer watches over blocks of the system alone.
#define XTGRAD_POOL_PASSES_THROUGH XTGRAD_ADDRESS_SANITIZER

namespace xtgrad::inline v1::detail {

static_assert(sizeof(std::size_t) == 8, "the size classes and the address masks assume 64-bit addresses");

inline constexpr std::size_t pool_arena_bytes = std::size_t{32} << 20;
inline constexpr std::size_t pool_unit_bytes = std::size_t{256} << 10;
inline constexpr std::size_t pool_units = pool_arena_bytes / pool_unit_bytes;
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

inline constexpr std::size_t cache_line = 64;
// Buffers whose addresses agree in the low 12 bits compete for one cache set, and a load waits for an
// unrelated store. So buffers of a page or more are spaced by an odd number of lines, which visits all 64
// line offsets, and whatever starts an arena or a unit is shifted by as much from one to the next.
inline constexpr std::size_t pool_spacing = 5 * cache_line;
inline constexpr std::size_t pool_colours = 64 * cache_line;

// Small blocks: a unit has room for a dozen at least, so little is left at its end.
inline constexpr std::size_t last_small_class = pool_class_of(20480);
// Blocks up to here are kept at hand by the thread that freed them, up to so many bytes in all; a lock is a
// noticeable part of what is computed with one. For larger ones it is not.
inline constexpr std::size_t last_kept_class = pool_class_of(std::size_t{1} << 20);
inline constexpr std::size_t most_kept_bytes = std::size_t{4} << 20;
inline constexpr std::size_t kept_classes = last_kept_class - last_small_class;
// Larger ones get a mapping of their own: they would leave too much of an arena unused.
inline constexpr std::size_t last_heap_class = pool_class_of(pool_arena_bytes / 4);

struct PoolBlock {
  PoolBlock* next;
};

// Free blocks of a class that change hands as one.
struct PoolMagazine {
  PoolBlock* next_block;
  PoolMagazine* next;
};

// So many blocks make one: enough that handing it over costs nothing by the block. A thread keeps up to two
// of each class for itself, which is all of its idle small blocks that other threads cannot get at.
inline constexpr std::size_t magazine_bytes = std::size_t{32} << 10;
constexpr std::int64_t magazine_blocks(std::size_t index) {
  constexpr std::size_t least = 4;
  return static_cast<std::int64_t>(std::max(least, magazine_bytes / pool_class_bytes(index)));
}

struct alignas(32) PoolClass {
  PoolBlock* head = nullptr;
  // Blocks this thread took minus blocks this thread freed, wherever they came from: only the sum over all
  // pools means something, and no thread ever writes another one's counter.
  std::atomic<std::int64_t> balance = 0;
  // Of small blocks: when the balance has come down to this, the list of free ones has a magazine full. So
  // they need not be counted one by one.
  std::int64_t full_at = std::numeric_limits<std::int64_t>::min() / 2;  // never, while there is no block
  PoolBlock* spare = nullptr;                                           // a magazine beside the list, or none

  [[nodiscard]] bool is_full() const { return balance.load(std::memory_order_relaxed) <= full_at; }
  // The list of free blocks has become another one.
  void set_list(PoolBlock* blocks, std::int64_t length, std::int64_t most) {
    head = blocks;
    full_at = balance.load(std::memory_order_relaxed) + length - most;
  }

  // A load and a store, not a locked add: only the owner writes, others may read at any time.
  std::int64_t count(std::int64_t change) {
    const std::int64_t now = balance.load(std::memory_order_relaxed) + change;
    balance.store(now, std::memory_order_relaxed);
    return now;
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
  // Magazines that the owner filled, for it to take back one after the other or for any thread to take away
  // at once. Only the owner adds to them.
  alignas(64) std::atomic<PoolMagazine*> magazines[last_small_class + 1] = {};
  alignas(64) PoolChunk chunks[last_small_class + 1];
  PoolBlock* kept[kept_classes] = {};
  std::size_t kept_bytes = 0;
  unsigned seen_calls = 0;  // how many of the calls to release memory this thread has followed
  Pool* next_pool = nullptr;
  Pool* next_orphan = nullptr;
};

struct alignas(32) PoolUnit {
  Pool* owner = nullptr;               // in arenas without units late_pool, which is no thread's
  PoolClass* blocks = nullptr;         // the owner's
  std::atomic<std::uint32_t> cut = 0;  // blocks that were cut from it so far
  std::uint32_t free = 0;              // while its owner looks for idle units: how many of them are
  std::uint32_t taken = 0;             // while another thread does: how many of them that one has
  std::uint32_t fit = 0;               // blocks that there is room for
};

enum class ArenaKind : std::uint8_t { units, blocks, mapping };

// The head of each arena.
struct alignas(64) PoolArena {
  ArenaKind kind;
  // Of a mapping:
  std::uint16_t class_index = 0;
  std::uint32_t offset = 0;   // of the block
  std::size_t bytes = 0;      // of the whole arena
  PoolArena* next = nullptr;  // in the list of its kind
  PoolArena* previous = nullptr;
  // Of units: which are idle, and of those, which may have pages in memory.
  std::uint64_t idle_units[pool_units / 64] = {};
  std::uint64_t dirty_units[pool_units / 64] = {};
  PoolUnit units[pool_units] = {};
};

inline PoolArena* pool_arena_of(void* block) {
  // Not a cast back from an integer: the compiler would lose track of which object this points to.
  const std::uintptr_t offset = reinterpret_cast<std::uintptr_t>(block) & (pool_arena_bytes - 1);
  return reinterpret_cast<PoolArena*>(static_cast<char*>(block) - offset);
}

inline PoolUnit& pool_unit_of(void* block) {
  const std::uintptr_t offset = reinterpret_cast<std::uintptr_t>(block) & (pool_arena_bytes - 1);
  return pool_arena_of(block)->units[offset / pool_unit_bytes];
}

}  // namespace xtgrad::v1::detail
