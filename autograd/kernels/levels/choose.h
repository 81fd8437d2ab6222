#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

template <class T>
using BitsOf =
    std::conditional_t<sizeof(T) == 1, std::uint8_t,
                       std::conditional_t<sizeof(T) == 2, std::uint16_t,
                                          std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>>;

/// m ? v : w by bits, all of them or none: compilers make branches of conditions, and a branch that goes
/// either way costs as much as twenty elements.
template <class T>
T choose(bool m, T v, T w) {
  using Bits = BitsOf<T>;
  const auto of_v = static_cast<Bits>(Bits{0} - std::bit_cast<std::uint8_t>(m));
  return std::bit_cast<T>(
      static_cast<Bits>((std::bit_cast<Bits>(v) & of_v) | (std::bit_cast<Bits>(w) & ~of_v)));
}

}  // namespace xtgrad::v1::detail
