#pragma once

#include <cstdint>

#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::nn::detail {

/// a . b / (max(|a|, eps) max(|b|, eps)) along an axis, which is not kept, of tensors of one shape and dtype:
/// right also where products of elements are out of the dtype's range.
[[nodiscard]] Tensor cosine(const Tensor& a, const Tensor& b, std::int64_t axis, double eps);

}  // namespace xtgrad::v1::nn::detail
