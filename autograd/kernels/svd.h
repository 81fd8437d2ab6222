#pragma once

#include <string_view>

#include "xtgrad/autograd/core/array.h"

namespace xtgrad::inline v1::detail {

/// a = u diag(s) vh, s descending; u and vh may both be null.
void svd(std::string_view function, const Array& a, Array* u, Array& s, Array* vh);

}  // namespace xtgrad::v1::detail
