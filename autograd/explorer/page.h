#pragma once

#include <string>
#include <string_view>

namespace xtgrad::inline v1::detail {

/// The page of page/ around a run. `run` is JSON, which may hold any text; `title` is text, too.
std::string page_with(std::string_view title, std::string_view run);

}  // namespace xtgrad::v1::detail
