#pragma once

#include "xtgrad/autograd/kernels/product/outer_task.h"
#include "xtgrad/autograd/kernels/product/task.h"
#include "xtgrad/autograd/kernels/product/view_task.h"

namespace xtgrad::inline v1::detail {

/// Products for processors with AVX-512. Defined on x86-64 alone.
extern const ProductKernels product_avx512;
extern const ViewKernels view_avx512;
extern const OuterKernels outer_avx512;

}  // namespace xtgrad::v1::detail
