#pragma once

#include "xtgrad/autograd/core/array.h"

namespace xtgrad::inline v1::detail {

/// Lower triangular l with l l' = (a + a')/2. Throws ValueError for a matrix that is not symmetric but for
/// rounding, or not positive definite.
void cholesky(const Array& a, Array& l);

}  // namespace xtgrad::v1::detail
