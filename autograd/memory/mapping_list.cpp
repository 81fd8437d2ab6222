#include "xtgrad/autograd/memory/mapping_list.h"

#include "xtgrad/autograd/memory/arena_list.h"
#include "xtgrad/autograd/memory/system_memory.h"

#if !XTGRAD_POOL_PASSES_THROUGH

namespace xtgrad::inline v1::detail {
namespace {

// Rounded up so far and no further: a last part shorter than a huge page is then backed by small pages, as
// far as it is used.
constexpr std::size_t granule = std::size_t{64} << 10;

std::size_t rounded_up(std::size_t bytes) { return (bytes + granule - 1) / granule * granule; }

}  // namespace

std::size_t MappingList::bytes_for(std::size_t class_index, std::size_t colour) {
  return rounded_up(sizeof(PoolArena) + colour + pool_class_bytes(class_index));
}

void* MappingList::take(std::size_t class_index) {
  const std::size_t room = pool_class_bytes(class_index);
  PoolArena* best = nullptr;
  for (PoolArena* arena = idle_.newest(); arena != nullptr; arena = arena->next) {
    const std::size_t has = arena->bytes - arena->offset;
    if (has >= room && has / 2 <= room && (best == nullptr || arena->bytes < best->bytes)) best = arena;
  }
  if (best == nullptr) return nullptr;
  idle_.unlink(best);
  best->class_index = static_cast<std::uint16_t>(class_index);
  used_.link(best);
  return reinterpret_cast<char*>(best) + best->offset;
}

void* MappingList::add(char* base, std::size_t class_index, std::size_t colour) {
  PoolArena* arena = make_arena(base, ArenaKind::mapping, bytes_for(class_index, colour));
  arena->offset = static_cast<std::uint32_t>(sizeof(PoolArena) + colour);
  arena->class_index = static_cast<std::uint16_t>(class_index);
  used_.link(arena);
  return base + arena->offset;
}

void MappingList::give(void* block) {
  PoolArena* arena = pool_arena_of(block);
  used_.unlink(arena);
  idle_.link(arena);
}

std::size_t MappingList::trim(std::size_t bytes) {
  std::size_t gone = 0;
  while (idle_.oldest() != nullptr && gone < bytes) {
    PoolArena* arena = idle_.oldest();
    idle_.unlink(arena);
    gone += arena->bytes;
    unmap(reinterpret_cast<char*>(arena), arena->bytes);
  }
  return gone;
}

std::size_t MappingList::trim_ends(std::size_t bytes) {
  std::size_t gone = 0;
  for (PoolArena* arena = used_.newest(); arena != nullptr && gone < bytes; arena = arena->next) {
    const std::size_t needed = rounded_up(arena->offset + pool_class_bytes(arena->class_index));
    const std::size_t end = arena->bytes - needed;
    if (end == 0) continue;
    unmap(reinterpret_cast<char*>(arena) + needed, end);
    arena->bytes = needed;
    used_.shorten(end);
    gone += end;
  }
  return gone;
}

}  // namespace xtgrad::v1::detail

#endif
