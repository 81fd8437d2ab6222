#pragma once

#include <string_view>

#include "xtgrad/autograd/size2d.h"

namespace xtgrad::inline v1::nn::detail {

/// Throws ValueError if either side is less than `least`, `Conv2d: stride must be at least 1: got 0x1`, or
/// more than 2^31 - 1.
void check_size(std::string_view module, std::string_view option, const Size2d& size, std::int64_t least);

/// As `check_size` with 1, for a kernel, whose default of 0 means that it was left out.
void check_kernel(std::string_view module, const Size2d& kernel);

}  // namespace xtgrad::v1::nn::detail
