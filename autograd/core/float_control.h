#pragma once

#if defined(__x86_64__)
#include <xmmintrin.h>

#include <cstdint>
#else
#include <cfenv>
#endif

namespace xtgrad::inline v1::detail {

/// How a thread rounds, what it does with subnormal numbers, and which exceptions stop it: taken from the
/// thread that makes one, and for another thread to adopt.
class FloatControl {
 public:
#if defined(__x86_64__)
  void adopt() const { _mm_setcsr((_mm_getcsr() & flags) | control_); }

 private:
  static constexpr std::uint32_t flags = 0x3f;  // of exceptions that were raised: a thread's own
  std::uint32_t control_ = _mm_getcsr() & ~flags;
#else
  void adopt() const { std::fesetround(rounding_); }

 private:
  int rounding_ = std::fegetround();
#endif
};

}  // namespace xtgrad::v1::detail
