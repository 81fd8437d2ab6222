#pragma once

#include <string_view>

#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// The instructions that kernels use which choose when the program runs, matrix products and, in a build for
/// any x86-64 processor, all others: "avx512", "avx2" (with fused multiply-add), or "baseline" for those of
/// the build. The best that the processor has, unless the environment variable XTGRAD_ISA names another:
/// results may differ in their last bits (docs/architecture.md says which). Chosen once, by whatever asks
/// first. Throws ValueError where XTGRAD_ISA is something else, or is not there on this processor.
[[nodiscard]] std::string_view cpu_capability();

}}  // namespace xtgrad::v1
