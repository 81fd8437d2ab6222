#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/size2d.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

/// The value of an option that has no default; a module that finds it throws ValueError that names the
/// option.
inline constexpr std::int64_t required = (std::numeric_limits<std::int64_t>::min)();

namespace detail {

/// Throws ValueError if an option was left out, or is less than `least`: `Linear: in_features must be at
/// least 0: got -3`.
void check_option(std::string_view module, std::string_view option, std::int64_t value, std::int64_t least);

/// Throws ValueError if either side is less than `least`, `Conv2d: stride must be at least 1: got 0x1`, or
/// more than 2^31 - 1.
XTGRAD_LOCAL void check_size(std::string_view module, std::string_view option, const Size2d& size,
                             std::int64_t least);

/// As `check_size` with 1, for a kernel, whose default of 0 means that it was left out.
XTGRAD_LOCAL void check_kernel(std::string_view module, const Size2d& kernel);

}  // namespace detail
}}}  // namespace xtgrad::v1::nn
