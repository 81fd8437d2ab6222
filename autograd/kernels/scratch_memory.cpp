#include "xtgrad/autograd/kernels/scratch_memory.h"

#include "xtgrad/autograd/memory/pool.h"

namespace xtgrad::inline v1::detail {

void* scratch_allocate(std::size_t bytes) { return pool_allocate(bytes); }
void scratch_free(void* block) noexcept { pool_free(block); }

}  // namespace xtgrad::v1::detail
