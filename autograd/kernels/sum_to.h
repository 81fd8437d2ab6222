#pragma once

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/kernels/levels/sum.h"

namespace xtgrad::inline v1::detail {

/// Fills `out` with the sum of x over the dimensions that broadcasting it to x's shape would stretch; x's
/// dtype is int64, float32 or float64. Accuracy and order of additions are sum_axis's; where the stretched
/// dimensions do not adjoin there is one pass for each group of them, the largest first.
void sum_to_shape(const Array& x, Array& out);

/// The same for computed terms of the shape x, to the same bits. Some dimension of more than one element is
/// summed.
void sum_to_shape(const ComputedTerms& terms, const Shape& x, Array& out);

}  // namespace xtgrad::v1::detail
