// Threads of the library's own that help operations with their tiles.
//
// An operation's thread opens a job, works on it itself, and waits in the end only for those that are in the
// middle of a tile of it: never for one that has not come, which matters where other programs want the cores
// too. Several threads may have jobs open at once; who is free goes to the first that wants one more.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "xtgrad/autograd/kernels/tile_job.h"

namespace xtgrad::inline v1::detail {

/// The threads sleep where there is nothing to do, and go on sleeping when the program ends: one of these is
/// never destroyed, so that objects with static lifetime may compute to the last.
class WorkerThreads {
 public:
  /// Runs the job on this thread and on others, `threads` in all at most, and fewer where the system gives no
  /// more: it is asked again when another number is wished for, or a second later. In a child of fork() whose
  /// parent had begun this, it runs on this thread alone: the others are not there.
  void run(TileJob& job, int threads);

 private:
  struct OpenJob {
    TileJob* job = nullptr;
    int places = 0;  // for so many more helpers
    std::atomic<int> helpers{0};
    bool caller_sleeps = false;
    bool is_open = true;
    OpenJob* next = nullptr;
  };

  [[nodiscard]] bool are_of_this_process();
  void serve(int member);
  void open(OpenJob& job, int threads);
  void wait_for_helpers(OpenJob& job);
  void leave(OpenJob& job);
  // With the mutex locked:
  void start(int wanted, int threads);
  void close(OpenJob& job);  // from now on nobody comes
  [[nodiscard]] OpenJob* first_with_place() const;
  void wait_for_job(std::unique_lock<std::mutex>& lock);

  std::atomic<std::uint32_t> owner_{0};     // 1 + the fork generation of who began; 0: nobody
  std::atomic<std::uint32_t> openings_{0};  // changes with each job: what those who wait awake look at
  std::mutex mutex_;  // guards all that follows, and OpenJob, but for the number of helpers as it falls
  std::condition_variable job_opened_;
  std::condition_variable helpers_left_;
  OpenJob* first_ = nullptr;
  int workers_ = 0;
  int refused_at_ = 0;  // so many threads were wished for when the system gave no more; 0: it has not refused
  std::int64_t refused_until_ = 0;  // steady_clock's nanoseconds
  int awake_ = 0;                   // wait for a job and do not sleep yet
  int asleep_ = 0;
};

}  // namespace xtgrad::v1::detail
