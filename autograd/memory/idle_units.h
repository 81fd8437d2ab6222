#pragma once

#include "xtgrad/autograd/memory/pool_layout.h"

#if !XTGRAD_POOL_PASSES_THROUGH

namespace xtgrad::inline v1::detail {

/// Sorts the blocks that other threads freed into the free lists.
void collect_returned(Pool& pool);

/// Gives the units whose blocks are all free to the store. It takes as long as there are free blocks: they
/// are counted, since neither taking nor freeing one counts by unit. By the thread whose pool it is, or by
/// one that has taken the pool from the orphans; without pool_mutex.
void return_idle_units(Pool& pool);

/// Gives to the store what units of all threads' pools are idle but for what a thread keeps for itself: also
/// of those that sleep. By any thread, without pool_mutex, which is locked meanwhile.
void take_idle_units_of_threads();

}  // namespace xtgrad::v1::detail

#endif
