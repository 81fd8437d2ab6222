#pragma once

#include <string>

#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace training {

/// A number that a training came to, such as "validation_loss".
struct NamedValue {
  std::string name;
  double value = 0;
};

}}}  // namespace xtgrad::v1::training
