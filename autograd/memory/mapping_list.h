#pragma once

#include <cstddef>

#include "xtgrad/autograd/memory/arena_list.h"

#if !XTGRAD_POOL_PASSES_THROUGH

namespace xtgrad::inline v1::detail {

/// Blocks that have an arena of their own. An idle one serves requests down to half of its size, so it may
/// have an end that nobody uses. Knows no lock.
class MappingList {
 public:
  /// An idle block with room for one of this class, null if there is none.
  void* take(std::size_t class_index);
  /// A block of this class in fresh memory of bytes_for(class_index, colour) bytes.
  void* add(char* base, std::size_t class_index, std::size_t colour);
  void give(void* block);

  static std::size_t bytes_for(std::size_t class_index, std::size_t colour);

  /// Gives idle blocks back, the one first that has lain longest, until `bytes` are gone or none is left.
  std::size_t trim(std::size_t bytes);
  /// Gives unused ends back, until `bytes` are gone or none is left.
  std::size_t trim_ends(std::size_t bytes);

  [[nodiscard]] std::size_t idle_bytes() const { return idle_.bytes(); }
  [[nodiscard]] std::size_t used_bytes() const { return used_.bytes(); }

 private:
  ArenaList idle_;
  ArenaList used_;
};

}  // namespace xtgrad::v1::detail

#endif
