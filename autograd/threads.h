#pragma once

#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// Number of threads that one operation may use, at least 1; OMP_NUM_THREADS, or the number of cores, at
/// start. Results do not depend on it: not a bit. An operation goes on with fewer where the system gives no
/// more, and in a child of fork() whose parent had spread operations over threads, it works on one.
[[nodiscard]] int num_threads();
/// Throws ValueError below 1 and above 4096.
void set_num_threads(int threads);

}}  // namespace xtgrad::v1
