#pragma once

#include <cstddef>
#include <cstdint>

#include "xtgrad/autograd/memory/pool.h"

namespace xtgrad::inline v1::detail {

/// Throws std::bad_alloc if this thread's hook says so.
void fail_if_asked_to(PoolRequest request);

/// From now on this one is asked; null for none.
void keep_fault_hook(PoolFaultHook hook);

#if !XTGRAD_POOL_PASSES_THROUGH

/// Asks the system for `bytes` aligned to an arena, all zero; null if there are none, or a hook says so.
char* map_arena(std::size_t bytes) noexcept;

/// The same without the alignment, for what is no arena.
void* map_pages(std::size_t bytes) noexcept;

/// Gives whole pages back together with their addresses: an arena, or its end.
void unmap(char* begin, std::size_t bytes) noexcept;

/// Gives back the whole pages in [begin, end), which become zero, but not their addresses. Returns their
/// bytes.
std::size_t discard(char* begin, char* end) noexcept;

struct SystemCounts {
  std::int64_t reserved_bytes;
  std::int64_t growths;
  std::int64_t returns;
};
SystemCounts system_counts();

#endif

}  // namespace xtgrad::v1::detail
