#pragma once

#include "xtgrad/autograd/core/array.h"

namespace xtgrad::inline v1::detail {

/// The pseudo-inverse [..., n, m], in which singular values up to `rcond` times the largest count as 0.
void pseudo_inverse(const Array& a, double rcond, Array& y);

}  // namespace xtgrad::v1::detail
