#include "xtgrad/autograd/kernels/worker_threads.h"

#include <sched.h>

#include <chrono>
#include <new>
#include <system_error>
#include <thread>

#include "xtgrad/autograd/kernels/usable_cores.h"
#include "xtgrad/autograd/memory/process_locks.h"

namespace xtgrad::inline v1::detail {
namespace {

using Clock = std::chrono::steady_clock;

/// So long a thread looks for the next operation before it sleeps. Waking it takes 30 to 100 us, and between
/// the large operations of a training step are small ones: a conv net's step of 14.1 ms took 9.2 on two
/// threads with 50 us and 7.0 with this, in one pair of runs. Who waits yields the core to whoever wants it.
constexpr std::chrono::microseconds patience{1000};
/// And so long the caller looks for the end of the last tiles.
constexpr std::chrono::microseconds patience_of_caller{200};

std::int64_t now() { return Clock::now().time_since_epoch().count(); }

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// Looks for a while whether `is_so`, and lets other threads have the core in between.
template <class Condition>
bool comes_true_within(std::chrono::nanoseconds time, Condition is_so) {
  const std::int64_t end = now() + time.count();
  do {
    for (int i = 0; i < 16; ++i) {
      if (is_so()) return true;
      pause();
    }
    ::sched_yield();
  } while (now() < end);
  return is_so();
}

}  // namespace

void WorkerThreads::run(TileJob& job, int threads) {
  if (!are_of_this_process()) {
    job.work_as(0);
    job.rethrow_failure();
    return;
  }
  OpenJob mine{.job = &job, .places = job.most_helpers()};
  open(mine, threads);
  job.work_as(0);
  wait_for_helpers(mine);
  job.rethrow_failure();
}

bool WorkerThreads::are_of_this_process() {
  const std::uint32_t here = fork_generation() + 1;
  std::uint32_t owner = owner_.load(std::memory_order_relaxed);
  if (owner == 0 && owner_.compare_exchange_strong(owner, here, std::memory_order_relaxed)) return true;
  return owner == here;
}

void WorkerThreads::start(int wanted, int threads) {
  if (workers_ >= wanted || (refused_at_ == threads && now() < refused_until_)) return;
  refused_at_ = 0;
  try {
    while (workers_ < wanted) {
      std::thread([this, member = workers_ + 1] { serve(member); }).detach();
      ++workers_;
    }
    return;
  } catch (const std::system_error&) {
    // These are all that can be had.
  } catch (const std::bad_alloc&) {
  }
  refused_at_ = threads;
  refused_until_ = now() + std::chrono::nanoseconds(std::chrono::seconds(1)).count();
}

void WorkerThreads::open(OpenJob& job, int threads) {
  const std::lock_guard lock(mutex_);
  start(job.places, threads);
  OpenJob** end = &first_;
  while (*end != nullptr) end = &(*end)->next;
  *end = &job;
  openings_.fetch_add(1, std::memory_order_relaxed);
  if (job.places > awake_ && asleep_ > 0) job_opened_.notify_one();  // who comes wakes the others
}

void WorkerThreads::close(OpenJob& job) {
  if (!job.is_open) return;
  job.is_open = false;
  OpenJob** place = &first_;
  while (*place != &job) place = &(*place)->next;
  *place = job.next;
}

void WorkerThreads::wait_for_helpers(OpenJob& job) {
  {
    const std::lock_guard lock(mutex_);
    close(job);
  }
  const auto are_gone = [&] { return job.helpers.load(std::memory_order_acquire) == 0; };
  if (are_gone() || comes_true_within(patience_of_caller, are_gone)) return;
  std::unique_lock lock(mutex_);
  job.caller_sleeps = true;
  helpers_left_.wait(lock, are_gone);
}

WorkerThreads::OpenJob* WorkerThreads::first_with_place() const {
  OpenJob* job = first_;
  while (job != nullptr && job->places == 0) job = job->next;
  return job;
}

void WorkerThreads::leave(OpenJob& job) {
  bool wakes_caller = false;
  {
    const std::lock_guard lock(mutex_);
    close(job);  // there are no more tiles
    wakes_caller = job.caller_sleeps;
    // The last that is seen of the job: where its caller is awake, it may be gone before the next line.
    job.helpers.fetch_sub(1, std::memory_order_release);
  }
  if (wakes_caller) helpers_left_.notify_all();
}

void WorkerThreads::serve(int member) {
  for (;;) {
    OpenJob* job = nullptr;
    {
      std::unique_lock lock(mutex_);
      while ((job = first_with_place()) == nullptr) wait_for_job(lock);
      --job->places;
      job->helpers.fetch_add(1, std::memory_order_relaxed);
      // Two, so that many are awake soon.
      for (int i = 0; i < 2 && i < job->places - awake_ && i < asleep_; ++i) job_opened_.notify_one();
    }
    job->job->work_as(member);
    leave(*job);
  }
}

void WorkerThreads::wait_for_job(std::unique_lock<std::mutex>& lock) {
  static const int cores = usable_cores();
  if (awake_ < cores - 1) {
    ++awake_;
    const std::uint32_t seen = openings_.load(std::memory_order_relaxed);
    lock.unlock();
    comes_true_within(patience, [&] { return openings_.load(std::memory_order_relaxed) != seen; });
    lock.lock();
    --awake_;
    if (first_with_place() != nullptr) return;
  }
  ++asleep_;
  job_opened_.wait(lock, [&] { return first_with_place() != nullptr; });
  --asleep_;
}

}  // namespace xtgrad::v1::detail
