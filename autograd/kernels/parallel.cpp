#include "xtgrad/autograd/kernels/parallel.h"

#include <atomic>
#include <cstddef>
#include <mutex>
#include <new>
#include <utility>

#include "xtgrad/autograd/kernels/tile_job.h"
#include "xtgrad/autograd/kernels/worker_threads.h"
#include "xtgrad/autograd/memory/process_locks.h"
#include "xtgrad/autograd/threads.h"

namespace xtgrad::inline v1::detail {

namespace {

constinit thread_local bool sequential = false;
constinit std::atomic<TileHook> tile_hook{nullptr};

constinit std::atomic<WorkerThreads*> workers{nullptr};
alignas(WorkerThreads) constinit std::byte place_of_workers[sizeof(WorkerThreads)]{};

/// Never destroyed: they sleep in it when the program ends.
WorkerThreads& worker_threads() {
  WorkerThreads* made = workers.load(std::memory_order_acquire);
  if (made != nullptr) [[likely]]
    return *made;
  // Not a static variable of a function: fork() could catch it half made, and its child would wait for it.
  const std::lock_guard lock(process_lock(ProcessLock::workers));
  made = workers.load(std::memory_order_relaxed);
  if (made == nullptr) {
    made = ::new (static_cast<void*>(place_of_workers)) WorkerThreads;
    workers.store(made, std::memory_order_release);
  }
  return *made;
}

}  // namespace

void set_tile_hook(TileHook hook) { tile_hook.store(hook); }

SequentialScope::SequentialScope() : before_(std::exchange(sequential, true)) {}
SequentialScope::~SequentialScope() { sequential = before_; }

void parallel_tiles(std::int64_t tiles, void (*body)(void*, std::int64_t), void* context) {
  const int threads = sequential || tiles <= 1 ? 1 : num_threads();
  if (threads == 1) {
    for (std::int64_t tile = 0; tile < tiles; ++tile) body(context, tile);
    return;
  }
  const TileHook hook = tile_hook.load(std::memory_order_relaxed);
  TileJob job({.tiles = tiles, .body = body, .context = context, .hook = hook}, threads);
  worker_threads().run(job, threads);
}

}  // namespace xtgrad::v1::detail
