#include "xtgrad/autograd/memory/idle_units.h"

#include <array>
#include <mutex>

#include "xtgrad/autograd/memory/magazines.h"
#include "xtgrad/autograd/memory/pool_list.h"
#include "xtgrad/autograd/memory/pool_store.h"

#if !XTGRAD_POOL_PASSES_THROUGH

namespace xtgrad::inline v1::detail {
namespace {

constexpr std::uint32_t idle = ~std::uint32_t{0};  // in place of a number of free blocks

using Magazines = std::array<PoolMagazine*, last_small_class + 1>;

void count_free(PoolMagazine* magazines) {
  for (; magazines != nullptr; magazines = magazines->next) {
    ++pool_unit_of(magazines).free;
    for (PoolBlock* block = magazines->next_block; block != nullptr; block = block->next) {
      ++pool_unit_of(block).free;
    }
  }
}

/// Makes blocks the pool's again, but for those of idle units.
void keep_others(Pool& pool, PoolClass& blocks, PoolMagazine* magazines) {
  while (magazines != nullptr) {
    PoolMagazine* const next = magazines->next;
    for (PoolBlock* block = blocks_of(magazines); block != nullptr;) {
      PoolBlock* const following = block->next;
      if (pool_unit_of(block).free != idle) add_free(pool, blocks, block);
      block = following;
    }
    magazines = next;
  }
}

/// Of one thread's units those whose blocks are all free and within reach of others; the other blocks are its
/// own again. With pool_mutex held.
void take_idle_units_of(Pool& pool) {
  PoolBlock* blocks = take_spared(pool);
  if (blocks == nullptr) return;
  for (PoolBlock* block = blocks; block != nullptr; block = block->next) ++pool_unit_of(block).taken;
  // All that there is room for: in a unit that is not cut to its end the thread may be cutting.
  const auto is_idle = [](const PoolUnit& unit) { return unit.taken == unit.fit && unit.fit != 0; };
  PoolBlock** link = &blocks;
  PoolBlock* last = nullptr;
  while (*link != nullptr) {
    if (is_idle(pool_unit_of(*link))) {
      *link = (*link)->next;
    } else {
      last = *link;
      link = &last->next;
    }
  }
  pool_store.units().for_each_of(pool, [&](PoolArena& arena, std::size_t number) {
    PoolUnit& unit = arena.units[number];
    if (is_idle(unit)) {
      pool_store.units().give(arena, number);
    } else {
      unit.taken = 0;
    }
  });
  if (last != nullptr) return_blocks(pool, blocks, last);
}

}  // namespace

void collect_returned(Pool& pool) {
  if (pool.returned.load(std::memory_order_relaxed) == nullptr) return;
  PoolBlock* block = pool.returned.exchange(nullptr, std::memory_order_acquire);
  while (block != nullptr) {
    PoolBlock* next = block->next;
    add_free(pool, *pool_unit_of(block).blocks, block);
    block = next;
  }
}

void return_idle_units(Pool& pool) {
  collect_returned(pool);
  Magazines all;
  for (std::size_t index = 0; index < all.size(); ++index) {
    all[index] = take_all(pool, index);
    count_free(all[index]);
  }
  {
    const std::lock_guard lock(pool_mutex);
    pool_store.units().for_each_of(pool, [](PoolArena& arena, std::size_t number) {
      PoolUnit& unit = arena.units[number];
      unit.free = unit.free == unit.cut.load(std::memory_order_relaxed) ? idle : 0;
    });
  }
  for (std::size_t index = 0; index < all.size(); ++index) {
    keep_others(pool, pool.classes[index], all[index]);
    PoolChunk& chunk = pool.chunks[index];
    if (chunk.cursor != chunk.end && pool_unit_of(chunk.cursor).free == idle) chunk = {};
  }
  const std::lock_guard lock(pool_mutex);
  pool_store.units().for_each_of(pool, [](PoolArena& arena, std::size_t number) {
    if (arena.units[number].free == idle) pool_store.units().give(arena, number);
  });
  pool_store.settle();
}

void take_idle_units_of_threads() {
  const std::lock_guard lock(pool_mutex);
  for_each_pool(take_idle_units_of);
  pool_store.settle();
}

}  // namespace xtgrad::v1::detail

#endif
