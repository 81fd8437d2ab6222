// Elements that a bool tensor chooses; where (comparison.h) chooses between two tensors.
#pragma once

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/scalar.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// x with a number where the bool `mask`, which is stretched to x's shape, is true.
[[nodiscard]] Tensor masked_fill(const Tensor& x, const Tensor& mask, Scalar value);
/// The elements of x where the bool `mask` is true, in row-major order, as a vector; both broadcast. Its
/// length depends on the mask's elements, so a function that computes the mask cannot be captured.
[[nodiscard]] Tensor masked_select(const Tensor& x, const Tensor& mask);
/// x with the first elements of `source`, in row-major order, where the bool `mask`, which is stretched to
/// x's shape, is true. Throws ValueError where there are fewer of them.
[[nodiscard]] Tensor masked_scatter(const Tensor& x, const Tensor& mask, const Tensor& source);
/// Where x is not 0, in row-major order: int64 [count, rank of x], an index of an element in each row. Its
/// shape depends on the elements, so a function that computes x cannot be captured.
[[nodiscard]] Tensor nonzero(const Tensor& x);

}}  // namespace xtgrad::v1
