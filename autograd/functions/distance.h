// Distances between points.
#pragma once

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// The p-norm of the difference of each of the points a [..., n, d] and each of b [..., m, d]: [..., n, m],
/// where the other dimensions broadcast. p is at least 0, or infinity, as for `norm`; of points that are
/// equal the gradient is 0. From differences, so that small distances have all their digits; for another p
/// than 2 they are kept for the gradient, n m d of them.
[[nodiscard]] Tensor cdist(const Tensor& a, const Tensor& b, double p = 2);

}}  // namespace xtgrad::v1
