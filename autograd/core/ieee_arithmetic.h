#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace xtgrad::inline v1::detail {

/// While in scope, this thread's subnormal numbers are computed with, as IEEE 754 says. A program that is
/// linked with -ffast-math begins with the processor taking them for 0, and so do the threads that it starts.
class IeeeArithmetic {
 public:
#if defined(__x86_64__)
  IeeeArithmetic() {
    const std::uint32_t control = _mm_getcsr();
    flushed_ = control & flush_bits;
    if (flushed_ != 0) _mm_setcsr(control & ~flush_bits);
  }
  // Flags that were raised meanwhile stay.
  ~IeeeArithmetic() {
    if (flushed_ != 0) _mm_setcsr(_mm_getcsr() | flushed_);
  }
  /// True if there was something to do.
  [[nodiscard]] bool changes() const { return flushed_ != 0; }

 private:
  static constexpr std::uint32_t flush_bits = 0x8040;  // results to zero, operands that are zeros
  std::uint32_t flushed_ = 0;
#else
  IeeeArithmetic() = default;
  ~IeeeArithmetic() {}
  [[nodiscard]] static bool changes() { return false; }
#endif

 public:
  IeeeArithmetic(const IeeeArithmetic&) = delete;
  IeeeArithmetic& operator=(const IeeeArithmetic&) = delete;
};

}  // namespace xtgrad::v1::detail
