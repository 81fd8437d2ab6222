#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// Bytes of memory that tensors, their graphs and scratch have now, in all threads. Rounded up as it is
/// handed out: in steps of at most a quarter.
[[nodiscard]] std::int64_t memory_in_use();

/// Bytes of memory that the library holds for tensors and graphs now, in use or idle. What is idle stays
/// within limits: in use and idle together are at most 5/4 of the recent peak and 32 MiB, but for what
/// threads keep at hand: of blocks above 20 KiB up to 4 MiB each, and of each smaller size (nodes of graphs,
/// small tensors) up to 64 KiB, or eight blocks if that is more; with what else the parts of 256 KiB hold
/// that these lie in.
[[nodiscard]] std::int64_t memory_reserved();

/// The most bytes that were in use at once since the program began, or since reset_peak_memory. It is looked
/// at when a thread needs more than it keeps at hand; small tensors in between, a few MiB a thread, may be
/// missed.
[[nodiscard]] std::int64_t peak_memory();
/// From now on peak_memory counts from what is in use.
void reset_peak_memory();

/// Gives all idle memory back to the system, also what threads left that sleep now. Other threads do so with
/// what they keep at hand the next time they need more than that. It is never necessary: before an allocation
/// fails, the library does so by itself.
void release_cached_memory();

/// How many idle bytes the library holds at most, but for what threads keep at hand; negative if only the
/// rule of memory_reserved says so, as at the start. With 0, each large tensor costs calls to the system.
[[nodiscard]] std::int64_t memory_cache_limit();
void set_memory_cache_limit(std::int64_t bytes);

}}  // namespace xtgrad::v1
