#include "xtgrad/autograd/memory/pool_store.h"

#include <algorithm>

#include "xtgrad/autograd/memory/pool_list.h"
#include "xtgrad/autograd/memory/system_memory.h"

#if !XTGRAD_POOL_PASSES_THROUGH

namespace xtgrad::inline v1::detail {
namespace {

constexpr std::size_t allowance = std::size_t{32} << 20;
// A step that has trimmed in vain does so again when so much more is held.
constexpr std::size_t step_of_patience = std::size_t{4} << 20;
// What has been taken, in recent peaks, until a peak is no longer recent.
constexpr std::size_t memory_of_peaks = 64;

std::size_t live_bytes() {
  return static_cast<std::size_t>(std::max<std::int64_t>(live_in_pools().bytes, 0));
}

}  // namespace

constinit PoolStore pool_store;

std::size_t PoolStore::used_bytes() const {
  return units_.used_bytes() + heap_.used_bytes() + mappings_.used_bytes();
}

std::size_t PoolStore::idle_bytes() const {
  return units_.dirty_bytes() + heap_.dirty_bytes() + mappings_.idle_bytes();
}

std::size_t PoolStore::idle_in_units() const {
  const auto live =
      static_cast<std::size_t>(std::max<std::int64_t>(live_in_pools(last_small_class).bytes, 0));
  return units_.used_bytes() - std::min(live, units_.used_bytes());
}

bool PoolStore::wants_units() const {
  return units_.used_bytes() >= next_want_ && idle_in_units() >= next_want_;
}

void PoolStore::units_were_wanted() { next_want_ = std::max(least_want, 2 * idle_in_units()); }

std::size_t PoolStore::next_colour() {
  colour_ = (colour_ + pool_spacing) % pool_colours;
  return colour_;
}

void* PoolStore::take(std::size_t class_index, Growth growth) {
  void* block = nullptr;
  const auto find = [&] {
    block = class_index <= last_heap_class ? heap_.take(class_index) : mappings_.take(class_index);
    return block != nullptr;
  };
  if (!find()) {
    if (growth == Growth::refused) return nullptr;
    if (class_index <= last_heap_class) {
      char* base = map_arena(pool_arena_bytes);
      if (base == nullptr) return nullptr;
      heap_.add_arena(base, next_colour());
      find();
    } else {
      const std::size_t colour = next_colour();
      const std::size_t bytes = MappingList::bytes_for(class_index, colour);
      make_room(bytes);
      char* base = map_arena(bytes);
      if (base == nullptr) return nullptr;
      block = mappings_.add(base, class_index, colour);
    }
  }
  note_taken(pool_class_bytes(class_index));
  return block;
}

void PoolStore::give(void* block) {
  if (pool_arena_of(block)->kind == ArenaKind::mapping) {
    mappings_.give(block);
  } else {
    heap_.give(block);
  }
  settle();
}

UnitList::Room PoolStore::take_unit(Pool& pool, PoolClass& blocks, Growth growth) {
  UnitList::Room room = units_.take(pool, blocks);
  if (room.begin == nullptr && growth == Growth::allowed) {
    char* base = map_arena(pool_arena_bytes);
    if (base == nullptr) return {};
    units_.add_arena(base);
    room = units_.take(pool, blocks);
  }
  if (room.begin == nullptr) return {};
  room.begin += next_colour();
  note_taken(0);
  return room;
}

void PoolStore::note_taken(std::size_t bytes) {
  const std::size_t used = used_bytes();
  if (used > std::min(peak_, recent_peak_)) {
    // The block is not among the live ones yet.
    const std::size_t live = live_bytes() + bytes;
    peak_ = std::max(peak_, live);
    recent_peak_ = std::max(recent_peak_, live);
  }
  taken_ = used >= recent_peak_ - recent_peak_ / 16 ? 0 : taken_ + bytes;
  if (taken_ / memory_of_peaks > recent_peak_) {
    recent_peak_ = std::max(live_bytes() + bytes, recent_peak_ / 2);
    taken_ = 0;
  }
  settle();
}

std::size_t PoolStore::excess() const {
  const std::size_t bound = recent_peak_ + recent_peak_ / 4 + allowance;
  const std::size_t held = held_bytes();
  const std::size_t idle = idle_bytes();
  std::size_t excess = held > bound ? held - bound : 0;
  if (idle_limit_ >= 0)
    excess = std::max(excess, idle - std::min(idle, static_cast<std::size_t>(idle_limit_)));
  return std::min(excess, idle);
}

void PoolStore::settle() {
  const std::size_t bytes = excess();
  if (bytes == 0) {
    patience_ = 0;
    return;
  }
  if (held_bytes() < patience_) return;
  trim(bytes);
  patience_ = excess() == 0 ? 0 : held_bytes() + step_of_patience;
}

void PoolStore::make_room(std::size_t bytes) {
  const std::size_t peak = std::max(recent_peak_, live_bytes() + bytes);
  const std::size_t bound = peak + peak / 4 + allowance;
  const std::size_t held = held_bytes() + bytes;
  if (held <= bound) return;
  trim(held - bound);
  const std::size_t left = held_bytes() + bytes;
  if (left > bound) mappings_.trim_ends(left - bound);
}

void PoolStore::trim(std::size_t bytes) {
  std::size_t gone = mappings_.trim(bytes);
  if (gone < bytes) gone += heap_.trim(bytes - gone, false);
  if (gone < bytes) units_.trim(bytes - gone, false);
}

void PoolStore::release() {
  mappings_.trim(mappings_.idle_bytes());
  mappings_.trim_ends(mappings_.used_bytes());
  heap_.trim(0, true);
  units_.trim(0, true);
}

std::int64_t PoolStore::peak_bytes() {
  peak_ = std::max(peak_, live_bytes());
  return static_cast<std::int64_t>(peak_);
}

void PoolStore::reset_peak() { peak_ = live_bytes(); }

void PoolStore::set_idle_limit(std::int64_t bytes) {
  idle_limit_ = bytes;
  patience_ = 0;
  settle();
}

}  // namespace xtgrad::v1::detail

#endif
