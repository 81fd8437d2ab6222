#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::datasets::detail {

/// The rows of each class that occurs, by the labels, int64 or int32 [n]. Throws ValueError, in the
/// function's name, for an empty handle or a negative label, ShapeError or DtypeError for other labels.
[[nodiscard]] std::vector<std::vector<std::int64_t>> class_members(std::string_view function,
                                                                   const Tensor& labels);

}  // namespace xtgrad::v1::datasets::detail
