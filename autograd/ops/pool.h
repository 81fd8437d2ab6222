#pragma once

#include <string_view>

#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::detail {

// What pooling asks of its options besides what every window is asked (windows.h), in the operations and in
// the modules made of them. Throws ValueError that begins with `function`. The sizes themselves are at least
// 1, padding at least 0, and none above 2^31 - 1.

void check_pool_options(std::string_view function, const MaxPool2dOptions& options);
void check_pool_options(std::string_view function, const AvgPool2dOptions& options);

}  // namespace xtgrad::v1::detail
