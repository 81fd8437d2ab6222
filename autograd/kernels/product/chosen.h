#pragma once

#include "xtgrad/autograd/kernels/product/outer_task.h"
#include "xtgrad/autograd/kernels/product/task.h"
#include "xtgrad/autograd/kernels/product/view_task.h"

namespace xtgrad::inline v1::detail {

/// The kernels for the set of instructions that is used: see instructions.h.
[[nodiscard]] const ProductKernels& product_kernels();
[[nodiscard]] const ViewKernels& view_kernels();
[[nodiscard]] const OuterKernels& outer_kernels();

inline void run(const ProductTask<float>& task) { product_kernels().float32(task); }
inline void run(const ProductTask<double>& task) { product_kernels().float64(task); }
inline void run(const ViewTask<float>& task) { view_kernels().float32(task); }
inline void run(const ViewTask<double>& task) { view_kernels().float64(task); }
inline void run(const OuterTask<float>& task) { outer_kernels().float32(task); }
inline void run(const OuterTask<double>& task) { outer_kernels().float64(task); }

}  // namespace xtgrad::v1::detail
