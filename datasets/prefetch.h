#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "xtgrad/datasets/loader.h"

namespace xtgrad::inline v1::datasets::detail {

/// Prepares the batches of one epoch ahead on threads of its own and hands them out in their order.
///
/// Workers take the numbers of batches as they become free, and put each into the ring's place of that
/// number. They stay at most `ahead` batches per worker before the loop, asleep where they would pass that.
/// A child of fork() has no workers: there each batch is made when it is taken, of the same bits.
class Prefetcher {
 public:
  static constexpr std::int64_t ahead = 2;  // per worker: one in work and one ready

  /// `make` is called on several threads at once, for each number below `batches` at most once. Throws Error
  /// where the system gives no thread.
  Prefetcher(std::int64_t batches, std::int64_t workers, std::function<Batch(std::int64_t number)> make);
  /// Waits for the batches that are in work, and no others are begun.
  ~Prefetcher();
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  /// The next batch, or the exception that making it threw; the one after it can be taken all the same. Not
  /// to be called more often than there are batches.
  [[nodiscard]] Batch take();

 private:
  struct Made {
    Batch batch;
    std::exception_ptr failure;
    bool filled = false;
  };

  void start(std::int64_t workers);
  void leave_parent();
  void stop();
  void work();
  [[nodiscard]] Made made(std::int64_t number) const;

  const std::int64_t batches_;
  const std::function<Batch(std::int64_t)> make_;

  std::mutex mutex_;  // guards all that follow but the threads
  std::condition_variable room_;
  std::condition_variable filled_;
  std::vector<Made> ring_;  // batch k at place k mod size
  std::int64_t begun_ = 0;  // the batches below are in work, or were
  std::int64_t taken_ = 0;
  bool stopping_ = false;

  std::vector<std::thread> threads_;
  std::uint32_t process_;  // where the threads are
};

}  // namespace xtgrad::v1::datasets::detail
