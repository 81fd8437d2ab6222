#pragma once

#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace plot {

/// The elements of a tensor of any dtype and shape, recorded or not, in its order: what charts are made of.
[[nodiscard]] std::vector<double> numbers(const Tensor& tensor);

}}}  // namespace xtgrad::v1::plot
