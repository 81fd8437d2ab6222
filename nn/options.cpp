#include "xtgrad/nn/options.h"

#include <fmt/format.h>

#include <cstdint>
#include <limits>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::nn::detail {

void check_option(std::string_view module, std::string_view option, std::int64_t value, std::int64_t least) {
  if (value == required)
    throw ValueError(fmt::format("{}: {} is required, and was not given", module, option));
  if (value < least)
    throw ValueError(fmt::format("{}: {} must be at least {}: got {}", module, option, least, value));
}

void check_size(std::string_view module, std::string_view option, const Size2d& size, std::int64_t least) {
  if (size.height < least || size.width < least) {
    throw ValueError(
        fmt::format("{}: {} must be at least {}: got {}", module, option, least, to_string(size)));
  }
  // The operations' own limit, below which sums and products fit int64.
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
  if (size.height > most || size.width > most) {
    throw ValueError(fmt::format("{}: {} must be at most 2^31 - 1: got {}", module, option, to_string(size)));
  }
}

void check_kernel(std::string_view module, const Size2d& kernel) {
  if (kernel == Size2d(0)) throw ValueError(fmt::format("{}: kernel is required, and was not given", module));
  check_size(module, "kernel", kernel, 1);
}

}  // namespace xtgrad::v1::nn::detail
