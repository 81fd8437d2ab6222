#pragma once

#include "xtgrad/autograd/memory/pool_layout.h"

#if !XTGRAD_POOL_PASSES_THROUGH

namespace xtgrad::inline v1::detail {

/// The free blocks of a pool's classes: a list at hand, a spare magazine, and magazines that other threads
/// may take away. By the thread whose pool it is, but for what says otherwise.

/// The list, which is a full magazine, becomes the spare one.
void put_aside(Pool& pool, PoolClass& blocks);

/// A magazine becomes the list, which is empty. False if there is none.
bool open_magazine(Pool& pool, std::size_t index);

/// Adds a free block that was not in use, or came back from another thread.
void add_free(Pool& pool, PoolClass& blocks, PoolBlock* block);

/// All free blocks of a class, which has none then.
PoolMagazine* take_all(Pool& pool, std::size_t index);
/// Its blocks as a list. It is no magazine any more.
PoolBlock* blocks_of(PoolMagazine* magazine);

/// Takes away what another thread can spare, blocks that came back to it included: in one list. By any
/// thread.
PoolBlock* take_spared(Pool& pool);

/// Gives blocks, a list from `first` to `last`, to the thread whose pool it is. By any thread.
void return_blocks(Pool& pool, PoolBlock* first, PoolBlock* last);

}  // namespace xtgrad::v1::detail

#endif
