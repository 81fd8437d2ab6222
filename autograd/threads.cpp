#include "xtgrad/autograd/threads.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/usable_cores.h"

namespace xtgrad::inline v1 {
namespace {

constexpr int most_threads = 4096;  // starting tens of thousands takes longer than anything they could save

/// What OMP_NUM_THREADS says, which other libraries of numbers obey as well; nothing if it makes no sense.
std::optional<int> wished_threads() {
  const char* const text = std::getenv("OMP_NUM_THREADS");
  if (text == nullptr) return std::nullopt;
  int threads = 0;
  const auto [end, error] = std::from_chars(text, text + std::strlen(text), threads);
  // After a comma stand the threads of nested regions.
  if (error != std::errc{} || threads < 1 || threads > most_threads || (*end != '\0' && *end != ','))
    return std::nullopt;
  return threads;
}

int default_threads() { return wished_threads().value_or(std::min(detail::usable_cores(), most_threads)); }

constinit std::atomic<int> thread_count{0};  // 0 until somebody asks

}  // namespace

int num_threads() {
  int threads = thread_count.load(std::memory_order_relaxed);
  if (threads != 0) [[likely]]
    return threads;
  const int wished = default_threads();
  return thread_count.compare_exchange_strong(threads, wished, std::memory_order_relaxed) ? wished : threads;
}

void set_num_threads(int threads) {
  if (threads < 1 || threads > most_threads) {
    throw ValueError(
        fmt::format("set_num_threads: needs from 1 to {} threads, got {}", most_threads, threads));
  }
  thread_count.store(threads, std::memory_order_relaxed);
}

}  // namespace xtgrad::v1
