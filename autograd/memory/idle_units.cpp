#include "xtgrad/autograd/memory/idle_units.h"

#include <mutex>

#include "xtgrad/autograd/memory/pool_list.h"
#include "xtgrad/autograd/memory/pool_store.h"

#if !XTGRAD_POOL_PASSES_THROUGH

namespace xtgrad::inline v1::detail {
namespace {

constexpr std::uint32_t idle = ~std::uint32_t{0};  // in place of a number of free blocks

void drop_blocks_of_idle_units(Pool& pool) {
  for (std::size_t index = 0; index <= last_small_class; ++index) {
    PoolBlock** link = &pool.classes[index].head;
    while (*link != nullptr) {
      if (pool_unit_of(*link).free == idle) {
        *link = (*link)->next;
      } else {
        link = &(*link)->next;
      }
    }
    PoolChunk& chunk = pool.chunks[index];
    if (chunk.cursor != chunk.end && pool_unit_of(chunk.cursor).free == idle) chunk = {};
  }
}

}  // namespace

void collect_returned(Pool& pool) {
  if (pool.returned.load(std::memory_order_relaxed) == nullptr) return;
  PoolBlock* block = pool.returned.exchange(nullptr, std::memory_order_acquire);
  while (block != nullptr) {
    PoolBlock* next = block->next;
    PoolClass& blocks = *pool_unit_of(block).blocks;
    block->next = blocks.head;
    blocks.head = block;
    block = next;
  }
}

void return_idle_units(Pool& pool) {
  collect_returned(pool);
  for (std::size_t index = 0; index <= last_small_class; ++index) {
    for (PoolBlock* block = pool.classes[index].head; block != nullptr; block = block->next) {
      ++pool_unit_of(block).free;
    }
  }
  {
    const std::lock_guard lock(pool_mutex);
    pool_store.units().for_each_of(pool, [](PoolArena& arena, std::size_t number) {
      PoolUnit& unit = arena.units[number];
      unit.free = unit.free == unit.cut ? idle : 0;
    });
  }
  drop_blocks_of_idle_units(pool);
  const std::lock_guard lock(pool_mutex);
  pool_store.units().for_each_of(pool, [](PoolArena& arena, std::size_t number) {
    if (arena.units[number].free == idle) pool_store.units().give(arena, number);
  });
  pool_store.settle();
}

}  // namespace xtgrad::v1::detail

#endif
