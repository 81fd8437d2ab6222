#pragma once

#include <string_view>

#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/core/number_fit.h"

namespace xtgrad::inline v1::detail {

// What the functions that make tensors from C++ values share.

/// What every creation function checks: that the bytes can be counted, and that the dtype has derivatives if
/// `requires_grad` asks for them.
void check_new(std::string_view function, const Shape& shape, Dtype dtype, bool requires_grad);

/// An array whose elements the caller fills, checked.
Array new_array(std::string_view function, const Shape& shape, Dtype dtype, bool requires_grad);

/// A leaf around a filled array.
Tensor new_leaf(Array array, bool requires_grad);

}  // namespace xtgrad::v1::detail
