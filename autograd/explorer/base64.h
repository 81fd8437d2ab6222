#pragma once

#include <string>
#include <string_view>

namespace xtgrad::inline v1::detail {

/// RFC 4648, with padding: text that JSON takes as it is.
std::string base64(std::string_view bytes);

}  // namespace xtgrad::v1::detail
