#pragma once

#include <string_view>

#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// The instructions that kernels which choose at run time use: "avx512", "avx2" (with fused multiply-add), or
/// "baseline" for those of the build. The best that the processor has, unless the environment variable
/// XTGRAD_ISA names another: results are the same bits for the first two, and may differ from those of the
/// third. Chosen once, by whatever asks first. Throws ValueError where XTGRAD_ISA is something else, or is
/// not there on this processor.
[[nodiscard]] std::string_view cpu_capability();

}}  // namespace xtgrad::v1
