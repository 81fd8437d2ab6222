#pragma once

#include <cstdint>
#include <type_traits>

#include "xtgrad/autograd/kernels/levels/lanes.h"
#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

/// Rows of a block whose sums are held in registers, three in a row: of 32 registers, which AVX-512 and SVE
/// have, or of 16. Three independent ones a row are enough to hide the latency of a multiply-add.
template <class T>
constexpr int block_height = sizeof(Lane<T>) == 64 ? 8 : 4;

/// Calls `f(first, integral_constant height)` for the blocks that cut the rows from `first` to m: full ones,
/// then halves of halves.
template <int Height, class F>
void for_each_block(std::int64_t first, std::int64_t m, F&& f) {
  for (; first + Height <= m; first += Height) f(first, std::integral_constant<int, Height>{});
  if constexpr (Height > 1) for_each_block<Height / 2>(first, m, f);
}

}  // namespace xtgrad::v1::detail
