#pragma once

#include <span>
#include <vector>

#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::optim::detail {

// What methods need that see all parameters as one vector. Differentiable, as the operations that they are.

/// The tensors' elements one after another, [n].
[[nodiscard]] Tensor join_flat(std::span<const Tensor> parts, Dtype dtype);
/// The other way round, in the shapes and dtypes of `like`.
[[nodiscard]] std::vector<Tensor> split_flat(const Tensor& flat, std::span<const Tensor> like);
/// float64 if any of the tensors is, else float32.
[[nodiscard]] Dtype widest_dtype(std::span<const Tensor> tensors);

}  // namespace xtgrad::v1::optim::detail
