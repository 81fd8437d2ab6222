#pragma once

#include <atomic>

namespace xtgrad::inline v1::detail {

/// Sets of instructions that kernels are compiled for beside those that the library as a whole is.
enum class Instructions { baseline, avx2, avx512 };

/// Negative until they are chosen.
extern constinit std::atomic<int> instructions_in_use;
Instructions choose_instructions();

/// The best set that this processor has, or the one that the variable XTGRAD_ISA names (baseline, avx2 or
/// avx512) if the processor has it. Chosen once. Throws ValueError for another name, and for a set that is
/// not there.
[[nodiscard, gnu::always_inline]] inline Instructions instructions() {
  // A load and no guard: small operations ask, too.
  const int chosen = instructions_in_use.load(std::memory_order_relaxed);
  return chosen >= 0 ? static_cast<Instructions>(chosen) : choose_instructions();
}

/// "baseline", "avx2" or "avx512".
[[nodiscard]] const char* name_of(Instructions instructions);

/// Whether this processor has them.
[[nodiscard]] bool has_instructions(Instructions instructions);

}  // namespace xtgrad::v1::detail
