#pragma once

#include "xtgrad/autograd/kernels/product/outer_task.h"
#include "xtgrad/autograd/kernels/product/task.h"
#include "xtgrad/autograd/kernels/product/view_task.h"

namespace xtgrad::inline v1::detail {

/// Products for processors with AVX2 and fused multiply-add. Defined on x86-64 alone.
extern const ProductKernels product_avx2;
extern const ViewKernels view_avx2;
extern const OuterKernels outer_avx2;

}  // namespace xtgrad::v1::detail
