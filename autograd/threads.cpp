#include "xtgrad/autograd/threads.h"

#include <fmt/format.h>

#include <atomic>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "xtgrad/autograd/errors.h"

#ifdef XTGRAD_HAS_TBB
#include <tbb/info.h>
#endif

namespace xtgrad::inline v1 {
namespace {

#ifdef XTGRAD_HAS_TBB

/// What OMP_NUM_THREADS says, which other libraries of numbers obey as well; nothing if it makes no sense.
std::optional<int> wished_threads() {
  const char* const text = std::getenv("OMP_NUM_THREADS");
  if (text == nullptr) return std::nullopt;
  int threads = 0;
  const auto [end, error] = std::from_chars(text, text + std::strlen(text), threads);
  // After a comma stand the threads of nested regions.
  if (error != std::errc{} || threads < 1 || (*end != '\0' && *end != ',')) return std::nullopt;
  return threads;
}

int default_threads() { return wished_threads().value_or(tbb::info::default_concurrency()); }

#else

int default_threads() { return 1; }

#endif

std::atomic<int>& thread_count() {
  static std::atomic<int> count{default_threads()};
  return count;
}

}  // namespace

int num_threads() { return thread_count().load(std::memory_order_relaxed); }

void set_num_threads(int threads) {
  if (threads < 1) throw ValueError(fmt::format("set_num_threads: needs at least 1 thread, got {}", threads));
  thread_count().store(threads, std::memory_order_relaxed);
}

}  // namespace xtgrad::v1
