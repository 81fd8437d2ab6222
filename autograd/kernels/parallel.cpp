#include "xtgrad/autograd/kernels/parallel.h"

#include <fmt/format.h>

#include <atomic>
#include <exception>
#include <utility>

#include "xtgrad/autograd/errors.h"

#ifdef _OPENMP
#include <omp.h>
#endif

namespace xtgrad {
inline namespace v1 {

namespace {

constinit thread_local bool sequential = false;

std::atomic<int>& thread_count() {
#ifdef _OPENMP
  static std::atomic<int> count{omp_get_max_threads()};
#else
  static std::atomic<int> count{1};
#endif
  return count;
}

}  // namespace

int num_threads() { return thread_count().load(std::memory_order_relaxed); }

void set_num_threads(int threads) {
  if (threads < 1) throw ValueError(fmt::format("set_num_threads: needs at least 1 thread, got {}", threads));
  thread_count().store(threads, std::memory_order_relaxed);
}

namespace detail {

SequentialScope::SequentialScope() : before_(std::exchange(sequential, true)) {}
SequentialScope::~SequentialScope() { sequential = before_; }

void parallel_tiles(std::int64_t tiles, void (*body)(void*, std::int64_t), void* context) {
#ifdef _OPENMP
  const int threads = static_cast<int>(tiles < num_threads() ? tiles : num_threads());
  if (threads > 1 && !sequential && omp_in_parallel() == 0) {
    std::exception_ptr failure;  // an exception may not leave the parallel region
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
    for (std::int64_t tile = 0; tile < tiles; ++tile) {
      try {
        body(context, tile);
      } catch (...) {
#pragma omp critical(xtgrad_tile_failure)
        if (!failure) failure = std::current_exception();
      }
    }
    if (failure) std::rethrow_exception(failure);
    return;
  }
#endif
  for (std::int64_t tile = 0; tile < tiles; ++tile) body(context, tile);
}

}  // namespace detail
}  // namespace v1
}  // namespace xtgrad
