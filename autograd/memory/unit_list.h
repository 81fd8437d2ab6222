#pragma once

#include <cstddef>

#include "xtgrad/autograd/memory/arena_list.h"

#if !XTGRAD_POOL_PASSES_THROUGH

namespace xtgrad::inline v1::detail {

/// The arenas that are cut into units. Knows no lock.
class UnitList {
 public:
  struct Room {
    char* begin = nullptr;
    char* end = nullptr;
  };

  /// An idle unit, now the pool's; nothing if there is none.
  Room take(Pool& pool, PoolClass& blocks);
  void give(PoolArena& arena, std::size_t unit);
  /// Fresh memory, as long as an arena.
  void add_arena(char* base);

  /// Gives idle units back until `bytes` are gone or none is left, arenas without a used one as a whole.
  std::size_t trim(std::size_t bytes, bool everything);

  /// Calls f(arena, number of the unit) for each unit of the pool; f may give it back.
  template <class F>
  void for_each_of(const Pool& pool, F f) {
    for (ArenaList* list : {&full_, &open_}) {
      for (PoolArena* arena = list->newest(); arena != nullptr;) {
        PoolArena* next = arena->next;
        for (std::size_t unit = 0; unit < pool_units; ++unit) {
          if (arena->units[unit].owner == &pool) f(*arena, unit);
        }
        arena = next;
      }
    }
  }

  [[nodiscard]] std::size_t used_bytes() const { return used_; }
  [[nodiscard]] std::size_t dirty_bytes() const { return dirty_; }  ///< of idle units

 private:
  ArenaList open_;  // with idle units
  ArenaList full_;
  std::size_t used_ = 0;
  std::size_t dirty_ = 0;
};

}  // namespace xtgrad::v1::detail

#endif
