#pragma once

#include <optional>

#include "xtgrad/autograd/dtype.h"
#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// What functions that make tensors are asked for.
struct TensorOptions {
  std::optional<Dtype> dtype = std::nullopt;  ///< the thread's default dtype if absent
  bool requires_grad = false;
};

}}  // namespace xtgrad::v1
