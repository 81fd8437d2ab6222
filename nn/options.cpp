#include "xtgrad/nn/options.h"

#include <fmt/format.h>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::nn::detail {

void check_option(std::string_view module, std::string_view option, std::int64_t value, std::int64_t least) {
  if (value == required)
    throw ValueError(fmt::format("{}: {} is required, and was not given", module, option));
  if (value < least)
    throw ValueError(fmt::format("{}: {} must be at least {}: got {}", module, option, least, value));
}

}  // namespace xtgrad::v1::nn::detail
