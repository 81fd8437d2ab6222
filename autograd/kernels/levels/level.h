// What is compiled once for each set of instructions, and how the set is chosen.
#pragma once

#include <array>
#include <cstddef>
#include <utility>

#include "xtgrad/autograd/kernels/instructions.h"

// The sources in this folder and those of formulas/ are compiled for the instructions of the build, and where
// these are any x86-64's (XTGRAD_LEVELS) for AVX2 and for AVX-512, too, which XTGRAD_LEVEL names. Every
// function of theirs, templates and inline ones above all, lies in a namespace of the level: else the linker
// would keep one of several copies, whose instructions the processor may not have.
//
//   XTGRAD_LANES                 the namespace of lanes and of loops over them, for all who include them
//   XTGRAD_KERNELS_BEGIN, _END   around a header's declarations of kernels: their namespace
//   XTGRAD_KERNEL(name)          behind these: outside of the levels `name` is the kernel that is chosen
//                                when the program runs
//   XTGRAD_AT_EACH_LEVEL(...)    declares templates in that namespace, outside of the levels in all of them
#if !defined(XTGRAD_LEVEL)
#define XTGRAD_LEVEL baseline
#define XTGRAD_LANES lanes_baseline
#endif

#if defined(XTGRAD_LEVELS) && !defined(XTGRAD_LEVEL_SOURCE)
#define XTGRAD_KERNELS_BEGIN namespace baseline {
#define XTGRAD_KERNEL(name)      \
  namespace avx2 {               \
  decltype(baseline::name) name; \
  }                              \
  namespace avx512 {             \
  decltype(baseline::name) name; \
  }                              \
  inline constexpr ChosenKernel<baseline::name, avx2::name, avx512::name> name;
#define XTGRAD_AT_EACH_LEVEL(...) \
  namespace baseline {            \
  __VA_ARGS__                     \
  }                               \
  namespace avx2 {                \
  __VA_ARGS__                     \
  }                               \
  namespace avx512 {              \
  __VA_ARGS__                     \
  }
#else
#define XTGRAD_KERNELS_BEGIN inline namespace XTGRAD_LEVEL {
#define XTGRAD_KERNEL(name)
#define XTGRAD_AT_EACH_LEVEL(...) \
  inline namespace XTGRAD_LEVEL { \
  __VA_ARGS__                     \
  }
#endif

#define XTGRAD_KERNELS_END }

namespace xtgrad::inline v1::detail {

/// A kernel that is there for several sets of instructions: called, or as a pointer, it is the chosen one.
template <auto Baseline, auto Avx2, auto Avx512>
class ChosenKernel;

template <class R, class... A, R (*Baseline)(A...), R (*Avx2)(A...), R (*Avx512)(A...)>
class ChosenKernel<Baseline, Avx2, Avx512> {
 public:
  using Function = R (*)(A...);

  constexpr ChosenKernel() = default;
  operator Function() const {  // NOLINT(google-explicit-constructor): it stands for a function's name
    static constexpr std::array functions{Baseline, Avx2, Avx512};
    return functions[static_cast<std::size_t>(instructions())];
  }
  R operator()(A... arguments) const { return static_cast<Function>(*this)(std::forward<A>(arguments)...); }
};

}  // namespace xtgrad::v1::detail
