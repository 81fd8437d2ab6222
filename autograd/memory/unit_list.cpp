#include "xtgrad/autograd/memory/unit_list.h"

#include <bit>

#include "xtgrad/autograd/memory/pool_list.h"
#include "xtgrad/autograd/memory/system_memory.h"

#if !XTGRAD_POOL_PASSES_THROUGH

namespace xtgrad::inline v1::detail {
namespace {

constexpr std::size_t words = pool_units / 64;
constexpr std::uint64_t all = ~std::uint64_t{0};

bool has_idle(const PoolArena& arena) {
  for (const std::uint64_t word : arena.idle_units) {
    if (word != 0) return true;
  }
  return false;
}

bool is_idle(const PoolArena& arena) {
  for (const std::uint64_t word : arena.idle_units) {
    if (word != all) return false;
  }
  return true;
}

/// The first unit in the set, or pool_units.
std::size_t first_of(const std::uint64_t (&set)[words]) {
  for (std::size_t i = 0; i < words; ++i) {
    if (set[i] != 0) return i * 64 + static_cast<std::size_t>(std::countr_zero(set[i]));
  }
  return pool_units;
}

std::uint64_t bit_of(std::size_t unit) { return std::uint64_t{1} << (unit % 64); }

UnitList::Room room_of(PoolArena& arena, std::size_t unit) {
  char* base = reinterpret_cast<char*>(&arena);
  return {base + (unit == 0 ? sizeof(PoolArena) : unit * pool_unit_bytes),
          base + (unit + 1) * pool_unit_bytes};
}

void set_owner(PoolUnit& unit, Pool* owner, PoolClass* blocks) {
  unit.owner = owner;
  unit.blocks = blocks;
  unit.cut.store(0, std::memory_order_relaxed);
  unit.free = unit.taken = unit.fit = 0;
}

}  // namespace

UnitList::Room UnitList::take(Pool& pool, PoolClass& blocks) {
  // Those first whose pages are in memory, else the lowest address, so that huge pages are filled.
  PoolArena* arena = open_.newest();
  for (PoolArena* each = arena; each != nullptr && dirty_ != 0; each = each->next) {
    if (first_of(each->dirty_units) != pool_units) {
      arena = each;
      break;
    }
  }
  if (arena == nullptr) return {};
  std::size_t unit = first_of(arena->dirty_units);
  if (unit == pool_units) {
    unit = first_of(arena->idle_units);
  } else {
    dirty_ -= pool_unit_bytes;
  }
  arena->idle_units[unit / 64] &= ~bit_of(unit);
  arena->dirty_units[unit / 64] &= ~bit_of(unit);
  if (!has_idle(*arena)) {
    open_.unlink(arena);
    full_.link(arena);
  }
  set_owner(arena->units[unit], &pool, &blocks);
  used_ += pool_unit_bytes;
  return room_of(*arena, unit);
}

void UnitList::give(PoolArena& arena, std::size_t unit) {
  if (!has_idle(arena)) {
    full_.unlink(&arena);
    open_.link(&arena);
  }
  set_owner(arena.units[unit], &late_pool, nullptr);
  arena.idle_units[unit / 64] |= bit_of(unit);
  arena.dirty_units[unit / 64] |= bit_of(unit);
  used_ -= pool_unit_bytes;
  dirty_ += pool_unit_bytes;
}

void UnitList::add_arena(char* base) {
  PoolArena* arena = make_arena(base, ArenaKind::units, pool_arena_bytes);
  for (std::uint64_t& word : arena->idle_units) word = all;
  open_.link(arena);
}

std::size_t UnitList::trim(std::size_t bytes, bool everything) {
  std::size_t gone = 0;
  for (PoolArena* arena = open_.newest(); arena != nullptr && (gone < bytes || everything);) {
    PoolArena* next = arena->next;
    std::size_t dirty = 0;
    for (const std::uint64_t word : arena->dirty_units) {
      dirty += static_cast<std::size_t>(std::popcount(word)) * pool_unit_bytes;
    }
    if (is_idle(*arena)) {
      open_.unlink(arena);
      unmap(reinterpret_cast<char*>(arena), pool_arena_bytes);
    } else {
      for (std::size_t unit; (unit = first_of(arena->dirty_units)) != pool_units;) {
        const Room room = room_of(*arena, unit);
        discard(room.begin, room.end);
        arena->dirty_units[unit / 64] &= ~bit_of(unit);
      }
    }
    dirty_ -= dirty;
    gone += dirty;
    arena = next;
  }
  return gone;
}

}  // namespace xtgrad::v1::detail

#endif
