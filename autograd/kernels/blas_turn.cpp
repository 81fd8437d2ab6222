#include "xtgrad/autograd/kernels/blas_turn.h"

#include <cstdint>

#include "xtgrad/autograd/core/ref_count.h"

// Absent, and then null, unless the BLAS at hand is OpenBLAS or BLIS.
extern "C" {
[[gnu::weak]] int openblas_get_parallel();
[[gnu::weak]] std::int64_t bli_thread_get_num_threads();
}

namespace xtgrad::inline v1::detail {
namespace {

std::mutex& one_at_a_time() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace

bool blas_calls_may_overlap() {
  // OpenBLAS first: it may be what has the LAPACK beside BLIS.
  static const bool safe =
      openblas_get_parallel != nullptr ? openblas_get_parallel() != 0 : bli_thread_get_num_threads != nullptr;
  return safe;
}

BlasTurn::BlasTurn() {
  // A process that has a single thread needs no lock, and cannot get a second one while BLAS runs.
  if (!blas_calls_may_overlap() && !RefCount::single_threaded()) lock_ = std::unique_lock(one_at_a_time());
}

}  // namespace xtgrad::v1::detail
