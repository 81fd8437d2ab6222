#pragma once

#include <cstdint>

#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::detail {

/// Zeros, but for a one at `index`, counted in row-major order: what takes one row out of a linear function.
/// A constant, made by a step.
[[nodiscard]] Tensor unit_tensor(const Shape& shape, std::int64_t index, Dtype dtype);

}  // namespace xtgrad::v1::detail
