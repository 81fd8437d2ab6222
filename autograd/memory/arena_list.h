#pragma once

#include <cstddef>

#include "xtgrad/autograd/memory/pool_layout.h"

#if !XTGRAD_POOL_PASSES_THROUGH

namespace xtgrad::inline v1::detail {

/// Arenas by the time they came in.
class ArenaList {
 public:
  void link(PoolArena* arena);
  void unlink(PoolArena* arena);
  /// An arena in it got shorter.
  void shorten(std::size_t bytes) { bytes_ -= bytes; }

  [[nodiscard]] PoolArena* newest() const { return newest_; }
  [[nodiscard]] PoolArena* oldest() const { return oldest_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }  ///< of all of them

 private:
  PoolArena* newest_ = nullptr;
  PoolArena* oldest_ = nullptr;
  std::size_t bytes_ = 0;
};

/// Writes the head of an arena at `base`. Whoever frees in it finds that its units are no thread's.
PoolArena* make_arena(char* base, ArenaKind kind, std::size_t bytes);

}  // namespace xtgrad::v1::detail

#endif
