#pragma once

#include "xtgrad/autograd/core/array.h"

namespace xtgrad::inline v1::detail {

/// a = q r with q [m, k] and r [k, n], whose diagonal is not negative.
void qr(const Array& a, Array& q, Array& r);

}  // namespace xtgrad::v1::detail
