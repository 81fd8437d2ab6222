#pragma once

#include <cstdint>
#include <type_traits>

namespace xtgrad::inline v1::detail {

/// Calls `f(first, integral_constant height)` for the blocks that cut the rows from `first` to m: full ones,
/// then halves of halves.
template <int Height, class F>
void for_each_block(std::int64_t first, std::int64_t m, F&& f) {
  for (; first + Height <= m; first += Height) f(first, std::integral_constant<int, Height>{});
  if constexpr (Height > 1) for_each_block<Height / 2>(first, m, f);
}

}  // namespace xtgrad::v1::detail
