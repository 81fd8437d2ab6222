#pragma once

#include <atomic>
#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/sanitizers.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace detail {

/// Where to read that the process still has one thread: not 0 while it has. The C library's own flag, whose
/// header not every platform has; what reads it here is inlined into users' code.
extern const char* const single_threaded_flag;

/// A reference count that pays for atomic instructions only once the process has a second thread, as
/// libstdc++'s shared_ptr does: an uncontended locked instruction costs about as much as a whole small node.
class RefCount {
 public:
  explicit RefCount(std::uint32_t start) : count_(start) {}

  /// Returns the count before.
  std::uint32_t increment() {
    if (single_threaded()) {
      const std::uint32_t before = count_.load(std::memory_order_relaxed);
      count_.store(before + 1, std::memory_order_relaxed);
      return before;
    }
    return count_.fetch_add(1, std::memory_order_relaxed);
  }

  /// As `decrement`, for counts that only an owner can increase: a count of 1 is then the caller's own, so it
  /// falls to 0 without an atomic instruction.
  std::uint32_t decrement_owned() {
    if (count_.load(std::memory_order_acquire) == 1) return 0;
    return decrement();
  }

  /// Returns the count after; whoever gets 0 sees everything the other owners did before.
  std::uint32_t decrement() {
    if (single_threaded()) {
      const std::uint32_t after = count_.load(std::memory_order_relaxed) - 1;
      count_.store(after, std::memory_order_relaxed);
      return after;
    }
    return count_.fetch_sub(1, std::memory_order_acq_rel) - 1;
  }

  /// For who holds none: false, and nothing has changed, if the count is 0.
  bool increment_unless_zero() {
    std::uint32_t count = count_.load(std::memory_order_relaxed);
    do {
      if (count == 0) return false;
    } while (!count_.compare_exchange_weak(count, count + 1, std::memory_order_relaxed));
    return true;
  }

  [[nodiscard]] std::uint32_t load() const { return count_.load(std::memory_order_acquire); }

  static bool single_threaded() {
#if XTGRAD_THREAD_SANITIZER
    return false;  // the sanitizer must see the atomic operations
#else
    return *single_threaded_flag != 0;
#endif
  }

 private:
  std::atomic<std::uint32_t> count_;
};

}}}  // namespace xtgrad::v1::detail
