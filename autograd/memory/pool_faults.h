#pragma once

namespace xtgrad::inline v1::detail {

/// Who asks for memory: a caller for a block, or the pool for a mapping from the system.
enum class PoolRequest { block, mapping };

/// Asked before each request; true makes it fail with std::bad_alloc.
using PoolFaultHook = bool (*)(PoolRequest request);

/// For tests of what happens when memory runs out: sets the hook of the calling thread, null for none. It
/// costs nothing while there is none: a thread with a hook is kept off the pool's fast path. Set null again
/// before the thread ends.
void set_pool_fault_hook(PoolFaultHook hook);

}  // namespace xtgrad::v1::detail
