#pragma once

#include <cstddef>
#include <cstdint>

#include "xtgrad/autograd/memory/block_heap.h"
#include "xtgrad/autograd/memory/mapping_list.h"
#include "xtgrad/autograd/memory/unit_list.h"

#if !XTGRAD_POOL_PASSES_THROUGH

namespace xtgrad::inline v1::detail {

/// What the threads of the process have in common: units for small blocks, and larger blocks. All of it is
/// called with pool_mutex held.
///
/// What it holds, used and idle, stays within five quarters of the recent peak of live bytes and 32 MiB:
/// above that, idle memory goes back to the system. A step that repeats never gets there, since what it takes
/// is what it gave. The peak is recent until 64 times as much has been taken without coming near it again;
/// then it is halved.
class PoolStore {
 public:
  enum class Growth { refused, allowed };

  /// Null if there is none.
  void* take(std::size_t class_index, Growth growth);
  void give(void* block);

  UnitList::Room take_unit(Pool& pool, PoolClass& blocks, Growth growth);
  [[nodiscard]] UnitList& units() { return units_; }

  /// True if so much lies idle in the threads' units that it is worth looking for whole ones.
  [[nodiscard]] bool wants_units() const;
  /// They have been looked for: not again before twice as much lies idle.
  void units_were_wanted();

  /// Trims if more is held than should be.
  void settle();
  /// Gives back everything that is idle, and the ends of blocks that nobody uses.
  void release();

  [[nodiscard]] std::size_t held_bytes() const { return used_bytes() + idle_bytes(); }
  [[nodiscard]] std::int64_t peak_bytes();
  void reset_peak();

  void set_idle_limit(std::int64_t bytes);
  [[nodiscard]] std::int64_t idle_limit() const { return idle_limit_; }

 private:
  [[nodiscard]] std::size_t used_bytes() const;
  [[nodiscard]] std::size_t idle_bytes() const;
  [[nodiscard]] std::size_t idle_in_units() const;
  [[nodiscard]] std::size_t excess() const;
  std::size_t next_colour();
  void note_taken(std::size_t bytes);
  void make_room(std::size_t bytes);
  void trim(std::size_t bytes);

  UnitList units_;
  BlockHeap heap_;
  MappingList mappings_;
  std::size_t colour_ = 0;
  std::size_t peak_ = 0;
  std::size_t recent_peak_ = 0;
  std::size_t taken_ = 0;               // since it was near the recent peak
  std::size_t patience_ = 0;            // no trimming below, since the last one had not found enough
  std::size_t next_want_ = least_want;  // so much must lie idle in units
  std::int64_t idle_limit_ = -1;

  static constexpr std::size_t least_want = std::size_t{16} << 20;
};

extern constinit PoolStore pool_store;

}  // namespace xtgrad::v1::detail

#endif
