// Products of matrices.
#pragma once

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

struct MatmulOptions {
  bool transpose_a = false;  ///< use a with its last two dimensions swapped
  bool transpose_b = false;
};
/// Matrix product of the last two dimensions, batched over the others, which broadcast: [..., m, k] times
/// [..., k, n] is [..., m, n]. A vector [k] is a row, or a column, without it in the result. Transposes are
/// free.
[[nodiscard]] Tensor matmul(const Tensor& a, const Tensor& b, const MatmulOptions& options = {});

}}  // namespace xtgrad::v1
