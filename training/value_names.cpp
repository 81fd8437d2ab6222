#include "xtgrad/training/value_names.h"

#include <fmt/format.h>

#include <algorithm>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::training::detail {

void check_value_name(std::string_view user, std::string_view name, std::span<const std::string> names) {
  if (std::ranges::find(names, name) != names.end()) return;
  throw ValueError(fmt::format("{}: no value \"{}\"; there are: {}", user, name,
                               names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
}

}  // namespace xtgrad::v1::training::detail
