#pragma once

#include <cstdint>
#include <vector>

#include "xtgrad/autograd/kernels/instructions.h"
#include "xtgrad/autograd/kernels/levels/lanes.h"
#include "xtgrad/autograd/kernels/product/avx2.h"
#include "xtgrad/autograd/kernels/product/avx512.h"
#include "xtgrad/autograd/kernels/product/baseline.h"

namespace xtgrad::inline v1::testing {

/// The sets of instructions that this processor has.
inline std::vector<detail::Instructions> instructions_here() {
  using detail::Instructions;
  std::vector<Instructions> here;
  for (const auto set : {Instructions::baseline, Instructions::avx2, Instructions::avx512}) {
    if (detail::has_instructions(set)) here.push_back(set);
  }
  return here;
}

/// Whether lanes have instructions that multiply and add in one rounding, as AVX2's and AVX-512's do and not
/// SSE2's, whose comparisons moreover raise FE_INVALID for any NaN.
inline bool lanes_fuse() {
#if defined(XTGRAD_LEVELS)
  return detail::instructions() != detail::Instructions::baseline;
#else
  return detail::fma_rounds_once;
#endif
}

namespace kernel_choice {

template <class Kernels>
const Kernels& of([[maybe_unused]] detail::Instructions set, const Kernels& baseline,
                  [[maybe_unused]] const Kernels& avx2, [[maybe_unused]] const Kernels& avx512) {
  if (set == detail::Instructions::avx2) return avx2;
  if (set == detail::Instructions::avx512) return avx512;
  return baseline;
}

template <class T, class Kernels, class Task>
void run(const Kernels& kernels, const Task& task) {
  if constexpr (sizeof(T) == sizeof(float)) {
    kernels.float32(task);
  } else {
    kernels.float64(task);
  }
}

}  // namespace kernel_choice

#if defined(__x86_64__)
#define XTGRAD_KERNELS(kind, set) \
  kernel_choice::of(set, detail::kind##_baseline, detail::kind##_avx2, detail::kind##_avx512)
#else
#define XTGRAD_KERNELS(kind, set) detail::kind##_baseline
#endif

/// Runs a task by the kernels for these instructions.
template <class T>
void run_by([[maybe_unused]] detail::Instructions set, const detail::ProductTask<T>& task) {
  kernel_choice::run<T>(XTGRAD_KERNELS(product, set), task);
}
template <class T>
void run_by([[maybe_unused]] detail::Instructions set, const detail::ViewTask<T>& task) {
  kernel_choice::run<T>(XTGRAD_KERNELS(view, set), task);
}
template <class T>
void run_by([[maybe_unused]] detail::Instructions set, const detail::OuterTask<T>& task) {
  kernel_choice::run<T>(XTGRAD_KERNELS(outer, set), task);
}

#undef XTGRAD_KERNELS

/// Numbers of all lengths, so that every order of a sum has bits of its own.
template <class T>
std::vector<T> numbers(std::size_t count, std::uint64_t seed) {
  std::vector<T> x(count);
  for (T& element : x) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    element = static_cast<T>(static_cast<double>(seed >> 11) * 0x1p-53 - 0.5);
  }
  return x;
}

}  // namespace xtgrad::inline v1::testing
