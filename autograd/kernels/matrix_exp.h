#pragma once

#include "xtgrad/autograd/core/array.h"

namespace xtgrad::inline v1::detail {

/// The exponential of each matrix.
void matrix_exp(const Array& a, Array& y);

}  // namespace xtgrad::v1::detail
