#pragma once

#include "xtgrad/autograd/kernels/product/outer_task.h"
#include "xtgrad/autograd/kernels/product/task.h"
#include "xtgrad/autograd/kernels/product/view_task.h"

namespace xtgrad::inline v1::detail {

/// Products for what the library as a whole is compiled for.
extern const ProductKernels product_baseline;
extern const ViewKernels view_baseline;
extern const OuterKernels outer_baseline;

}  // namespace xtgrad::v1::detail
