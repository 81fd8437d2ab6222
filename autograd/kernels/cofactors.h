#pragma once

#include "xtgrad/autograd/core/array.h"

namespace xtgrad::inline v1::detail {

/// The matrix of cofactors, the derivative of the determinant, by singular values: exact to rounding also
/// where the matrix is singular.
void cofactors(const Array& a, Array& c);
/// The derivative of the matrix of cofactors of `a` along `h`, likewise.
void cofactors_along(const Array& a, const Array& h, Array& c);

}  // namespace xtgrad::v1::detail
