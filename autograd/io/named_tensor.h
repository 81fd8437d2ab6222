#pragma once

#include <string>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// A tensor and its name in a file.
struct NamedTensor {
  std::string name;
  Tensor value;
};

}}  // namespace xtgrad::v1
