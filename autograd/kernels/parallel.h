#pragma once

#include <cstdint>
#include <type_traits>

namespace xtgrad::inline v1::detail {

void parallel_tiles(std::int64_t tiles, void (*body)(void*, std::int64_t), void* context);

/// Called at the beginning of each tile of an operation that is spread over threads, by the one that runs it.
using TileHook = void (*)(std::int64_t tile);
/// For tests of who does the work: sets the hook of all threads, null for none. It costs nothing while there
/// is none: it is asked for once an operation, not once a tile.
void set_tile_hook(TileHook hook);

/// While one lives, operations of this thread work on it alone: within a tile, and on threads of our own,
/// which are as many as they should be without helpers.
class SequentialScope {
 public:
  SequentialScope();
  ~SequentialScope();
  SequentialScope(const SequentialScope&) = delete;
  SequentialScope& operator=(const SequentialScope&) = delete;

 private:
  bool before_;
};

/// Calls `body(tile)` for 0..tiles-1, on several threads if there is more than one tile. How work is cut into
/// tiles must never depend on the number of threads: then neither do the results.
template <class F>
void for_each_tile(std::int64_t tiles, F&& body) {
  if (tiles == 1) {
    body(std::int64_t{0});
    return;
  }
  using Body = std::remove_reference_t<F>;
  parallel_tiles(
      tiles, [](void* context, std::int64_t tile) { (*static_cast<Body*>(context))(tile); },
      const_cast<void*>(static_cast<const void*>(&body)));
}

}  // namespace xtgrad::v1::detail
