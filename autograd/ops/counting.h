#pragma once

#include <cstdint>

#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::detail {

/// How often each of 0 to bins - 1 is among the int64 elements of x, which are in that range.
[[nodiscard]] Tensor counts_of(const Tensor& x, std::int64_t bins);

}  // namespace xtgrad::v1::detail
