#pragma once

#include <cstddef>
#include <string>

#include "xtgrad/autograd/shape.h"

namespace xtgrad::inline v1::nn::detail {

/// Where an element, counted in row-major order, is in a tensor of that shape: "[0, 2]".
std::string position_text(std::size_t element, const Shape& shape);

}  // namespace xtgrad::v1::nn::detail
