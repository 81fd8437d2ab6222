#pragma once

#include <cstdint>
#include <cstring>

namespace xtgrad::inline v1::detail {

/// Copies n elements that do not overlap. For the rows of small images, where a call of memcpy costs more
/// than the copying: whole pieces, the last of which overlaps the one before.
template <class T>
inline void copy_short(const T* from, std::int64_t n, T* to) {
  constexpr std::int64_t piece = 32 / static_cast<std::int64_t>(sizeof(T));
  constexpr std::int64_t half = piece / 2;
  if (n >= piece) {
    for (std::int64_t i = 0; i + piece <= n; i += piece) std::memcpy(to + i, from + i, piece * sizeof(T));
    std::memcpy(to + n - piece, from + n - piece, piece * sizeof(T));
  } else if (n >= half) {
    std::memcpy(to, from, half * sizeof(T));
    std::memcpy(to + n - half, from + n - half, half * sizeof(T));
  } else {
    for (std::int64_t i = 0; i < n; ++i) to[i] = from[i];
  }
}

}  // namespace xtgrad::v1::detail
