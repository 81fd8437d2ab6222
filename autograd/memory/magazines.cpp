#include "xtgrad/autograd/memory/magazines.h"

#include <new>
#include <utility>

#if !XTGRAD_POOL_PASSES_THROUGH

namespace xtgrad::inline v1::detail {
namespace {

std::size_t index_of(const Pool& pool, const PoolClass& blocks) {
  return static_cast<std::size_t>(&blocks - pool.classes);
}

void offer(Pool& pool, std::size_t index, PoolBlock* blocks) {
  PoolBlock* const second = blocks->next;
  std::atomic<PoolMagazine*>& place = pool.magazines[index];
  auto* magazine = ::new (blocks) PoolMagazine{second, place.load(std::memory_order_relaxed)};
  // Release: who takes it away sees the links, and all that was done to the blocks before.
  while (!place.compare_exchange_weak(magazine->next, magazine, std::memory_order_release,
                                      std::memory_order_relaxed)) {
  }
}

PoolBlock* last_of(PoolBlock* blocks) {
  while (blocks->next != nullptr) blocks = blocks->next;
  return blocks;
}

}  // namespace

PoolBlock* blocks_of(PoolMagazine* magazine) {
  PoolBlock* const second = magazine->next_block;
  return ::new (magazine) PoolBlock{second};
}

void put_aside(Pool& pool, PoolClass& blocks) {
  const std::size_t index = index_of(pool, blocks);
  if (blocks.spare != nullptr) offer(pool, index, blocks.spare);
  blocks.spare = blocks.head;
  blocks.set_list(nullptr, 0, magazine_blocks(index));
}

bool open_magazine(Pool& pool, std::size_t index) {
  PoolClass& blocks = pool.classes[index];
  PoolBlock* list = std::exchange(blocks.spare, nullptr);
  std::atomic<PoolMagazine*>& place = pool.magazines[index];
  if (list == nullptr && place.load(std::memory_order_relaxed) != nullptr) {
    if (PoolMagazine* all = place.exchange(nullptr, std::memory_order_acquire)) {
      // Nobody else adds any, so there are none to be lost. Release, as the links are passed on.
      place.store(all->next, std::memory_order_release);
      list = blocks_of(all);
    }
  }
  if (list == nullptr) return false;
  blocks.set_list(list, magazine_blocks(index), magazine_blocks(index));
  return true;
}

void add_free(Pool& pool, PoolClass& blocks, PoolBlock* block) {
  block->next = blocks.head;
  blocks.head = block;
  ++blocks.full_at;
  if (blocks.is_full()) put_aside(pool, blocks);
}

PoolMagazine* take_all(Pool& pool, std::size_t index) {
  PoolClass& blocks = pool.classes[index];
  PoolMagazine* all = pool.magazines[index].exchange(nullptr, std::memory_order_acquire);
  for (PoolBlock* list : {std::exchange(blocks.spare, nullptr), blocks.head}) {
    if (list == nullptr) continue;
    PoolBlock* const second = list->next;
    all = ::new (list) PoolMagazine{second, all};
  }
  blocks.set_list(nullptr, 0, magazine_blocks(index));
  return all;
}

PoolBlock* take_spared(Pool& pool) {
  PoolBlock* all = pool.returned.exchange(nullptr, std::memory_order_acquire);
  for (std::atomic<PoolMagazine*>& place : pool.magazines) {
    PoolMagazine* magazine = place.exchange(nullptr, std::memory_order_acquire);
    while (magazine != nullptr) {
      PoolMagazine* const next = magazine->next;
      PoolBlock* const blocks = blocks_of(magazine);
      last_of(blocks)->next = all;
      all = blocks;
      magazine = next;
    }
  }
  return all;
}

void return_blocks(Pool& pool, PoolBlock* first, PoolBlock* last) {
  PoolBlock* head = pool.returned.load(std::memory_order_relaxed);
  // Release: the owner must see the links, and all that was done to the blocks before.
  do {
    last->next = head;
  } while (!pool.returned.compare_exchange_weak(head, first, std::memory_order_release,
                                                std::memory_order_relaxed));
}

}  // namespace xtgrad::v1::detail

#endif
