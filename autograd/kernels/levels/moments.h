#pragma once

#include <cstdint>

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail {

XTGRAD_KERNELS_BEGIN

/// out[row] = the sum of the squares of what differs from the row's mean, divided by `divisor`: of [rows,
/// width], float32 or float64; of that the root, where it is asked for, in its whole range. NaN of rows of no
/// elements.
void variance_rows(const Array& x, std::int64_t rows, std::int64_t width, double divisor, bool root,
                   Array& out);

/// out[row] = the product of the row, of int64 (which wraps around), float32, in double, and float64.
void product_rows(const Array& x, std::int64_t rows, std::int64_t width, Array& out);

XTGRAD_KERNELS_END
XTGRAD_KERNEL(variance_rows)
XTGRAD_KERNEL(product_rows)

}  // namespace xtgrad::v1::detail
