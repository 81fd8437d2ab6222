#include "xtgrad/autograd/kernels/parallel.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "xtgrad/autograd/core/ieee_arithmetic.h"
#include "xtgrad/autograd/kernels/available_threads.h"
#include "xtgrad/autograd/memory/process_locks.h"
#include "xtgrad/autograd/threads.h"

#ifdef XTGRAD_HAS_TBB
#include <tbb/global_control.h>
#include <tbb/info.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>
#endif

namespace xtgrad::inline v1::detail {

namespace {

constinit thread_local bool sequential = false;
constinit std::atomic<detail::TileHook> tile_hook{nullptr};

#ifdef XTGRAD_HAS_TBB

/// Where operations run that may use `wished` threads: on as many of them as the system gives.
struct Team {
  explicit Team(int size) : wished(size), threads(1 + available_threads(size - 1)), arena(threads) {
    // oneTBB makes no more threads than there are cores, unless told; and as many for all arenas together.
    if (threads > tbb::info::default_concurrency() || threads < wished) {
      allowance.emplace(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(threads));
    }
    arena.initialize();  // now, while the lock keeps fork() waiting
  }
  int wished;
  int threads;
  std::optional<tbb::global_control> allowance;
  tbb::task_arena arena;
};

/// The team in force; null where there can be none. It lasts as long as an operation runs in it, whatever
/// `set_num_threads` does meanwhile.
std::shared_ptr<Team> team_of(int threads) {
  const std::lock_guard lock(process_lock(ProcessLock::team));
  // Never destroyed: objects with static lifetime may compute when the program ends.
  static auto& team = *new std::shared_ptr<Team>;
  // In a child of fork() the threads are gone, and oneTBB does not know it.
  static const std::uint32_t process = fork_generation();
  if (process != fork_generation()) return nullptr;
  if (team == nullptr || team->wished != threads) team = std::make_shared<Team>(threads);
  return team;
}

#endif

void run_alone(std::int64_t tiles, void (*body)(void*, std::int64_t), void* context) {
  for (std::int64_t tile = 0; tile < tiles; ++tile) body(context, tile);
}

}  // namespace

void set_tile_hook(TileHook hook) { tile_hook.store(hook); }

SequentialScope::SequentialScope() : before_(std::exchange(sequential, true)) {}
SequentialScope::~SequentialScope() { sequential = before_; }

void parallel_tiles(std::int64_t tiles, void (*body)(void*, std::int64_t), void* context) {
#ifdef XTGRAD_HAS_TBB
  const int threads = num_threads();
  if (tiles > 1 && threads > 1 && !sequential) {
    const std::shared_ptr<Team> team = team_of(threads);
    if (team == nullptr || team->threads == 1) {
      run_alone(tiles, body, context);
      return;
    }
    const TileHook hook = tile_hook.load(std::memory_order_relaxed);
    const auto run_tile = [=](std::int64_t tile) {
      const SequentialScope no_threads_within;
      const IeeeArithmetic as_the_caller_computes;
      if (hook != nullptr) hook(tile);
      body(context, tile);
    };
    team->arena.execute([&] {
      // Isolated: a thread that waits for the last of its tiles takes up none of another thread's operation,
      // which could be a long one.
      tbb::this_task_arena::isolate([&] {
        tbb::parallel_for(std::int64_t{0}, tiles, std::int64_t{1}, run_tile, tbb::simple_partitioner{});
      });
    });
    return;
  }
#endif
  run_alone(tiles, body, context);
}

}  // namespace xtgrad::v1::detail
