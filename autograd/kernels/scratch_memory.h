#pragma once

#include <cstddef>

namespace xtgrad::inline v1::detail {

/// Memory of the calling thread's pool, for kernels that are compiled for instructions that this processor
/// may not have: no code of the pool's lies among theirs. Free it on any thread.
[[nodiscard, gnu::returns_nonnull]] void* scratch_allocate(std::size_t bytes);
void scratch_free(void* block) noexcept;

}  // namespace xtgrad::v1::detail
