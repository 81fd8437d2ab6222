#include "xtgrad/autograd/kernels/instructions.h"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <string_view>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {
namespace {

constexpr std::array best_first{Instructions::avx512, Instructions::avx2, Instructions::baseline};

Instructions best_instructions() {
  for (const Instructions set : best_first) {
    if (has_instructions(set)) return set;
  }
  return Instructions::baseline;
}

Instructions named_or_best() {
  const char* named = std::getenv("XTGRAD_ISA");
  if (named == nullptr || *named == '\0') return best_instructions();
  for (const Instructions set : best_first) {
    if (std::string_view(named) != name_of(set)) continue;
    if (has_instructions(set)) return set;
    throw ValueError(fmt::format("XTGRAD_ISA: this processor has no {}; the best that it has is {}", named,
                                 name_of(best_instructions())));
  }
  throw ValueError(fmt::format("XTGRAD_ISA must be baseline, avx2 or avx512: got '{}'", named));
}

}  // namespace

const char* name_of(Instructions instructions) {
  switch (instructions) {
    case Instructions::avx512:
      return "avx512";
    case Instructions::avx2:
      return "avx2";
    case Instructions::baseline:
      break;
  }
  return "baseline";
}

bool has_instructions(Instructions instructions) {
#if defined(__x86_64__)
  // As -march=x86-64-v3 and v4 have them, which the kernels are compiled for.
  const bool v3 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0 &&
                  __builtin_cpu_supports("bmi") != 0 && __builtin_cpu_supports("bmi2") != 0;
  if (instructions == Instructions::avx2) return v3;
  if (instructions == Instructions::avx512) {
    return v3 && __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
           __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512cd") != 0 &&
           __builtin_cpu_supports("avx512dq") != 0;
  }
#endif
  return instructions == Instructions::baseline;
}

constinit std::atomic<int> instructions_in_use{-1};

Instructions choose_instructions() {
  // Threads that ask at once find the same.
  const Instructions chosen = named_or_best();
  instructions_in_use.store(static_cast<int>(chosen), std::memory_order_relaxed);
  return chosen;
}

}  // namespace xtgrad::v1::detail
