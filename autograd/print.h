#pragma once

#include <string>

#include "xtgrad/autograd/core/array.h"

namespace xtgrad::inline v1::detail {

/// The elements of an array in nested brackets, in columns of one width and one notation, the middle of long
/// dimensions elided.
[[nodiscard]] std::string print_elements(const Array& array);

}  // namespace xtgrad::v1::detail
