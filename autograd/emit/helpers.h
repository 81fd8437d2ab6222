#pragma once

#include <string>
#include <string_view>

#include "xtgrad/autograd/dtype.h"

namespace xtgrad::inline v1::detail {

/// A function that does not come with <cmath>, for floats or doubles. It computes in the next wider type and
/// rounds once: what lanes do by pairs of numbers (kernels/levels). Where long double is double, the last
/// digits of such functions of doubles are those of the plain formula.
[[nodiscard]] std::string helper_text(std::string_view name, Dtype dtype);

}  // namespace xtgrad::v1::detail
