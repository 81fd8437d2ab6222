#pragma once

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/kernels/lapack.h"

namespace xtgrad::inline v1::detail {

/// x over T(a) x = b, where x is b already, and the leading dimensions of `a` broadcast to its own. Throws
/// ConvergenceError for a 0 on the diagonal.
void solve_triangular(const lapack::Triangle& triangle, const Array& a, Array& x);

}  // namespace xtgrad::v1::detail
