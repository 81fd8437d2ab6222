#pragma once

#include <string_view>

#include "xtgrad/optim/hyper.h"

namespace xtgrad::inline v1::optim::detail {

// What options are checked for; each throws ValueError that names optimizer, option and value, or says that
// the option is required and was not given.

/// Finite and at least 0.
void check_not_negative(std::string_view optimizer, std::string_view option, const Hyper& value);
/// In [0, 1).
void check_decay_rate(std::string_view optimizer, std::string_view option, const Hyper& value);
void check_finite(std::string_view optimizer, std::string_view option, const Hyper& value);

}  // namespace xtgrad::v1::optim::detail
