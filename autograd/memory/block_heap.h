#pragma once

#include <cstddef>
#include <cstdint>

#include "xtgrad/autograd/memory/pool_layout.h"

#if !XTGRAD_POOL_PASSES_THROUGH

namespace xtgrad::inline v1::detail {

/// What precedes a block in an arena of blocks: one cache line, which keeps the block on one.
struct alignas(cache_line) HeapBlock {
  std::size_t bytes = 0;  // from here to the next header, a multiple of a line; 0 at the end of an arena
  HeapBlock* before = nullptr;  // the one that ends here, null for an arena's first
  std::size_t dirty = 0;        // of a free one: so many of its bytes may be in memory
  HeapBlock* next = nullptr;    // in its list of free ones
  HeapBlock* previous = nullptr;
  std::uint16_t class_index = 0;
  bool is_free = false;

  char* begin() { return reinterpret_cast<char*>(this); }
  HeapBlock* after() { return reinterpret_cast<HeapBlock*>(begin() + bytes); }
};
static_assert(sizeof(HeapBlock) == cache_line);

inline HeapBlock* heap_block_of(void* block) {
  return reinterpret_cast<HeapBlock*>(static_cast<char*>(block) - sizeof(HeapBlock));
}

/// Blocks of all sizes up to a fraction of an arena, in lists by size, eight for each doubling. A free block
/// is cut to size, and joined again with its free neighbours. Knows no lock.
class BlockHeap {
 public:
  /// A block with room for one of this class, null if no free one is large enough.
  void* take(std::size_t class_index);
  void give(void* memory);
  /// Fresh memory, as long as an arena, whose pages have not been touched; the first block is shifted by
  /// `colour`.
  void add_arena(char* base, std::size_t colour);

  /// Gives idle memory back until `bytes` are gone or none is left: whole arenas, then parts, the largest
  /// first. Returns what is gone. `everything` asks for pages, too, that should not be in memory.
  std::size_t trim(std::size_t bytes, bool everything);

  [[nodiscard]] std::size_t used_bytes() const { return used_; }
  [[nodiscard]] std::size_t dirty_bytes() const { return dirty_; }  ///< of free blocks

 private:
  static constexpr std::size_t lists = 128;

  static std::size_t list_of(std::size_t bytes);
  HeapBlock* find(std::size_t bytes);
  void link(HeapBlock* block);
  void unlink(HeapBlock* block);
  void unmap_arena(HeapBlock* block);

  HeapBlock* heads_[lists] = {};
  std::uint64_t filled_[lists / 64] = {};  // which lists have a block
  std::size_t used_ = 0;
  std::size_t dirty_ = 0;
};

}  // namespace xtgrad::v1::detail

#endif
