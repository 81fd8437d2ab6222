#pragma once

#include <cmath>
#include <cstdint>

#include "xtgrad/datasets/sample_transform.h"

namespace xtgrad::inline v1::datasets::detail {

/// A part of an image, inside of it.
struct ImageWindow {
  std::int64_t top;
  std::int64_t left;
  std::int64_t height;
  std::int64_t width;
};

/// Writes the window in the size of `to`, bilinearly; see `resize`. Summed up in double and rounded once.
/// Samples are [c, h, w], floating or uint8.
void resample(const SampleView& from, const ImageWindow& window, const SampleTarget& to, bool antialias);

/// A number as an element: rounded to the nearest byte, within 0 .. 255, for uint8.
template <class T>
[[nodiscard]] T to_element(double value) {
  if constexpr (sizeof(T) == 1) {
    return value >= 255 ? T{255} : (value > 0 ? static_cast<T>(std::lround(value)) : T{0});
  } else {
    return static_cast<T>(value);
  }
}

}  // namespace xtgrad::v1::datasets::detail
