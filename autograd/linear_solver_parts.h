#pragma once

#include <string_view>

#include "xtgrad/autograd/dtype.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::detail {

// What solvers of linear equations have in common. `function` is what the user called, for errors.

/// Throws ShapeError or DtypeError unless a map's result is like its argument.
void check_like(std::string_view function, const Tensor& result, const Tensor& argument);
/// Throws DtypeError unless b is float32 or float64.
void check_floating(std::string_view function, const Tensor& b);
/// What is asked of the residual by default, for each dtype: relative to b's norm.
[[nodiscard]] double usual_tolerance(Dtype dtype);
[[nodiscard]] double dot(const Tensor& a, const Tensor& b);

}  // namespace xtgrad::v1::detail
