#pragma once

#include <span>
#include <string>
#include <string_view>

namespace xtgrad::inline v1::training::detail {

/// Throws ValueError that lists the names there are, on behalf of `user`, if `name` is none of them.
void check_value_name(std::string_view user, std::string_view name, std::span<const std::string> names);

}  // namespace xtgrad::v1::training::detail
