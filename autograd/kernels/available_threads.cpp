#include "xtgrad/autograd/kernels/available_threads.h"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

namespace xtgrad::inline v1::detail {
namespace {

/// Those of the process; 0 where the system does not say.
std::ptrdiff_t running_threads() {
  std::error_code error;
  std::filesystem::directory_iterator tasks("/proc/self/task", error);
  return error ? 0 : std::distance(begin(tasks), end(tasks));
}

/// A thread counts towards a limit for a moment after it was joined.
void wait_for_at_most(std::ptrdiff_t threads) {
  constexpr int patience = 100;  // others may have started some meanwhile
  for (int i = 0; i < patience && running_threads() > threads; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace

int available_threads(int wanted) {
  const std::ptrdiff_t before = running_threads();
  std::mutex mutex;
  std::condition_variable end;
  bool ends = false;
  std::vector<std::thread> threads;
  try {
    threads.reserve(static_cast<std::size_t>(wanted));
    for (int i = 0; i < wanted; ++i) {
      threads.emplace_back([&] {
        std::unique_lock lock(mutex);
        end.wait(lock, [&] { return ends; });
      });
    }
  } catch (const std::system_error&) {
    // These are all that can be had.
  } catch (const std::bad_alloc&) {
  }
  {
    const std::lock_guard lock(mutex);
    ends = true;
  }
  end.notify_all();
  for (std::thread& thread : threads) thread.join();
  const int available = static_cast<int>(threads.size());
  if (available < wanted) wait_for_at_most(before);
  return available;
}

}  // namespace xtgrad::v1::detail
