#pragma once

#include "xtgrad/autograd/kernels/product/task.h"

namespace xtgrad::inline v1::detail {

/// Products for what the library as a whole is compiled for.
extern const ProductKernels product_baseline;

}  // namespace xtgrad::v1::detail
