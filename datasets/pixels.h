#pragma once

#include <array>
#include <cstddef>

namespace xtgrad::inline v1::datasets::detail {

/// The number that each of the 256 byte values stands for: value / 255, with the bits of `unit_range`, or the
/// value itself. Pixels are looked up here rather than divided one by one.
template <class T>
std::array<T, 256> pixel_values(bool unit_range) {
  std::array<T, 256> values;
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = unit_range ? static_cast<T>(i) / T{255} : static_cast<T>(i);
  }
  return values;
}

}  // namespace xtgrad::inline v1::datasets::detail
