#pragma once

#include "xtgrad/autograd/kernels/product/task.h"

namespace xtgrad::inline v1::detail {

/// Products for processors with AVX-512. Defined on x86-64 alone.
extern const ProductKernels product_avx512;

}  // namespace xtgrad::v1::detail
