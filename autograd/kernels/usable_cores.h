#pragma once

namespace xtgrad::inline v1::detail {

/// How many cores this process may use, at least 1.
[[nodiscard]] int usable_cores();

}  // namespace xtgrad::v1::detail
