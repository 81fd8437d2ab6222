#include "xtgrad/autograd/memory/block_heap.h"

#include <algorithm>
#include <bit>
#include <new>

#include "xtgrad/autograd/memory/arena_list.h"
#include "xtgrad/autograd/memory/system_memory.h"

#if !XTGRAD_POOL_PASSES_THROUGH

namespace xtgrad::inline v1::detail {
namespace {

// A smaller rest stays with the block that it is left of.
constexpr std::size_t least_rest = std::size_t{16} << 10;
// Giving back less costs more system calls and page faults than it is worth.
constexpr std::size_t least_returned = std::size_t{256} << 10;
// How many blocks of its own list a request looks at before it goes to one where each is large enough.
constexpr int looks = 16;

std::size_t bytes_with_header(std::size_t class_index) {
  return pool_class_bytes(class_index) + pool_spacing;
}

bool is_whole_arena(HeapBlock* block) { return block->before == nullptr && block->after()->bytes == 0; }

}  // namespace

std::size_t BlockHeap::list_of(std::size_t bytes) {
  const auto width = static_cast<std::size_t>(std::bit_width(bytes));
  constexpr std::size_t least_width = std::bit_width(least_rest);
  return (width - least_width) * 8 + ((bytes >> (width - 4)) & 7);
}

void BlockHeap::link(HeapBlock* block) {
  const std::size_t list = list_of(block->bytes);
  block->is_free = true;
  block->previous = nullptr;
  block->next = heads_[list];
  if (block->next != nullptr) block->next->previous = block;
  heads_[list] = block;
  filled_[list / 64] |= std::uint64_t{1} << (list % 64);
  dirty_ += block->dirty;
}

void BlockHeap::unlink(HeapBlock* block) {
  const std::size_t list = list_of(block->bytes);
  if (block->next != nullptr) block->next->previous = block->previous;
  if (block->previous != nullptr) {
    block->previous->next = block->next;
  } else {
    heads_[list] = block->next;
    if (block->next == nullptr) filled_[list / 64] &= ~(std::uint64_t{1} << (list % 64));
  }
  block->is_free = false;
  dirty_ -= block->dirty;
}

HeapBlock* BlockHeap::find(std::size_t bytes) {
  std::size_t list = list_of(bytes);
  HeapBlock* candidate = heads_[list];
  for (int i = 0; i < looks && candidate != nullptr; ++i, candidate = candidate->next) {
    if (candidate->bytes >= bytes) return candidate;
  }
  for (++list; list < lists; list = (list / 64 + 1) * 64) {
    const std::uint64_t further = filled_[list / 64] >> (list % 64);
    if (further != 0) return heads_[list + static_cast<std::size_t>(std::countr_zero(further))];
  }
  return nullptr;
}

void* BlockHeap::take(std::size_t class_index) {
  const std::size_t bytes = bytes_with_header(class_index);
  HeapBlock* block = find(bytes);
  if (block == nullptr) return nullptr;
  unlink(block);
  if (block->bytes - bytes >= least_rest) {
    auto* rest = ::new (block->begin() + bytes) HeapBlock{.bytes = block->bytes - bytes, .before = block};
    // Memory is used from the front on, so that is where pages are.
    rest->dirty = block->dirty - std::min(block->dirty, bytes);
    rest->after()->before = rest;
    block->bytes = bytes;
    link(rest);
  }
  used_ += block->bytes;
  block->class_index = static_cast<std::uint16_t>(class_index);
  return block->begin() + sizeof(HeapBlock);
}

void BlockHeap::give(void* memory) {
  HeapBlock* block = heap_block_of(memory);
  used_ -= block->bytes;
  block->dirty = block->bytes;
  if (HeapBlock* after = block->after(); after->is_free) {
    unlink(after);
    block->dirty += after->dirty;
    block->bytes += after->bytes;
  }
  if (HeapBlock* before = block->before; before != nullptr && before->is_free) {
    unlink(before);
    before->dirty += block->dirty;
    before->bytes += block->bytes;
    block = before;
  }
  block->after()->before = block;
  link(block);
}

void BlockHeap::add_arena(char* base, std::size_t colour) {
  make_arena(base, ArenaKind::blocks, pool_arena_bytes);
  char* begin = base + sizeof(PoolArena) + colour;
  char* end = base + pool_arena_bytes - sizeof(HeapBlock);
  auto* block = ::new (begin) HeapBlock{.bytes = static_cast<std::size_t>(end - begin)};
  ::new (end) HeapBlock{.before = block};
  link(block);
}

void BlockHeap::unmap_arena(HeapBlock* block) {
  unlink(block);
  unmap(reinterpret_cast<char*>(pool_arena_of(block)), pool_arena_bytes);
}

std::size_t BlockHeap::trim(std::size_t bytes, bool everything) {
  std::size_t gone = 0;
  for (const bool whole : {true, false}) {
    for (std::size_t list = lists; list-- > 0 && (gone < bytes || everything);) {
      for (HeapBlock* block = heads_[list]; block != nullptr && (gone < bytes || everything);) {
        HeapBlock* next = block->next;
        if (whole && is_whole_arena(block)) {
          gone += block->dirty;
          unmap_arena(block);
        } else if (!whole && (everything || block->dirty >= least_returned)) {
          discard(block->begin() + sizeof(HeapBlock), block->begin() + block->bytes);
          gone += block->dirty;
          dirty_ -= block->dirty;
          block->dirty = 0;
        }
        block = next;
      }
    }
  }
  return gone;
}

}  // namespace xtgrad::v1::detail

#endif
