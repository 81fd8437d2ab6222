#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

/// The value of an option that has no default; a module that finds it throws ValueError that names the
/// option.
inline constexpr std::int64_t required = std::numeric_limits<std::int64_t>::min();

namespace detail {

/// Throws ValueError if an option was left out, or is less than `least`: `Linear: in_features must be at
/// least 0: got -3`.
void check_option(std::string_view module, std::string_view option, std::int64_t value, std::int64_t least);

}  // namespace detail
}}}  // namespace xtgrad::v1::nn
