#include "xtgrad/datasets/prefetch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <new>
#include <system_error>
#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/parallel.h"
#include "xtgrad/autograd/memory/process_locks.h"

namespace xtgrad::inline v1::datasets::detail {

Prefetcher::Prefetcher(std::int64_t batches, std::int64_t workers,
                       std::function<Batch(std::int64_t number)> make)
    : batches_(batches), make_(std::move(make)), process_(xtgrad::detail::fork_generation()) {
  // A worker more than there are batches would find nothing to do.
  const std::int64_t useful = std::min(workers, batches);
  ring_.resize(static_cast<std::size_t>(std::min(ahead * useful, batches)));
  try {
    start(useful);
  } catch (...) {
    stop();
    throw;
  }
}

Prefetcher::~Prefetcher() { stop(); }

void Prefetcher::start(std::int64_t workers) {
  threads_.reserve(static_cast<std::size_t>(workers));
  for (std::int64_t i = 0; i < workers; ++i) {
    try {
      threads_.emplace_back([this] { work(); });
    } catch (const std::system_error& error) {
      throw Error(fmt::format("Loader: the system gives no thread for worker {} of {}: {}; use fewer workers",
                              i + 1, workers, error.what()));
    }
  }
}

void Prefetcher::leave_parent() {
  if (process_ == xtgrad::detail::fork_generation()) return;
  process_ = xtgrad::detail::fork_generation();
  // Never destroyed: threads that are not here may be waiting at them, or be in the middle of changing them.
  ::new (&mutex_) std::mutex;
  ::new (&room_) std::condition_variable;
  ::new (&filled_) std::condition_variable;
  ::new (&ring_) std::vector<Made>;
  ::new (&threads_) std::vector<std::thread>;
}

void Prefetcher::stop() {
  leave_parent();
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  room_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Prefetcher::work() {
  const xtgrad::detail::SequentialScope sequential;
  const auto size = static_cast<std::int64_t>(ring_.size());
  std::unique_lock lock(mutex_);
  while (true) {
    room_.wait(lock, [&] { return stopping_ || begun_ == batches_ || begun_ < taken_ + size; });
    if (stopping_ || begun_ == batches_) return;
    const std::int64_t number = begun_++;
    lock.unlock();
    Made result = made(number);
    lock.lock();
    ring_[static_cast<std::size_t>(number % size)] = std::move(result);
    if (number == taken_) filled_.notify_one();
  }
}

Prefetcher::Made Prefetcher::made(std::int64_t number) const {
  Made result;
  try {
    result.batch = make_(number);
  } catch (...) {
    result.failure = std::current_exception();
  }
  result.filled = true;
  return result;
}

Batch Prefetcher::take() {
  leave_parent();
  if (threads_.empty()) {
    const xtgrad::detail::SequentialScope sequential;
    return make_(taken_++);
  }
  std::unique_lock lock(mutex_);
  Made& place = ring_[static_cast<std::size_t>(taken_) % ring_.size()];
  filled_.wait(lock, [&] { return place.filled; });
  Made taken = std::exchange(place, {});
  ++taken_;
  lock.unlock();
  room_.notify_one();
  if (taken.failure) std::rethrow_exception(std::move(taken.failure));
  return std::move(taken.batch);
}

}  // namespace xtgrad::v1::datasets::detail
