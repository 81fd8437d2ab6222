#include "xtgrad/autograd/memory/arena_list.h"

#include <new>

#include "xtgrad/autograd/memory/pool_list.h"

#if !XTGRAD_POOL_PASSES_THROUGH

namespace xtgrad::inline v1::detail {

void ArenaList::link(PoolArena* arena) {
  arena->previous = nullptr;
  arena->next = newest_;
  (newest_ != nullptr ? newest_->previous : oldest_) = arena;
  newest_ = arena;
  bytes_ += arena->bytes;
}

void ArenaList::unlink(PoolArena* arena) {
  (arena->previous != nullptr ? arena->previous->next : newest_) = arena->next;
  (arena->next != nullptr ? arena->next->previous : oldest_) = arena->previous;
  bytes_ -= arena->bytes;
}

PoolArena* make_arena(char* base, ArenaKind kind, std::size_t bytes) {
  auto* arena = ::new (base) PoolArena{.kind = kind, .bytes = bytes};
  for (PoolUnit& unit : arena->units) unit.owner = &late_pool;
  return arena;
}

}  // namespace xtgrad::v1::detail

#endif
