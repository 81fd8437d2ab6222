#pragma once

#include <mutex>

#include "xtgrad/autograd/memory/process_locks.h"

namespace xtgrad::inline v1::detail {

/// True if BLAS and LAPACK may be called by several threads at once. A serial OpenBLAS may not, unless it was
/// built with USE_LOCKING, which it does not tell and Debian's is not: two calls can get the same scratch
/// buffer, and the results are then wrong (OpenBLAS's issue 2126). Of an unknown BLAS the worst is assumed.
/// What decides are the libraries that this one calls, whichever others are in the process.
[[nodiscard]] bool blas_calls_may_overlap();

/// Held around a call of BLAS or LAPACK: keeps other threads out where calls may not overlap.
class BlasTurn {
 public:
  BlasTurn();

 private:
  std::unique_lock<ProcessMutex> lock_;
};

}  // namespace xtgrad::v1::detail
