#pragma once

#include <algorithm>
#include <cstdint>

#include "xtgrad/autograd/size2d.h"

namespace xtgrad::inline v1::detail {

/// A window in one direction: `kernel` elements, `dilation` apart, moved by `stride`, on a side with
/// `padding` more elements at both ends.
struct WindowSide {
  std::int64_t kernel;
  std::int64_t stride = 1;
  std::int64_t padding = 0;
  std::int64_t dilation = 1;

  /// From the first element to the last, both counted.
  [[nodiscard]] std::int64_t extent() const { return dilation * (kernel - 1) + 1; }
  /// Where element `k` lies on the side when the window is at place 0; negative in the padding.
  [[nodiscard]] std::int64_t offset(std::int64_t k) const { return dilation * k - padding; }
};

/// A window in both directions; a plain value, as a primitive's attributes must be.
struct Window {
  Size2d kernel;
  Size2d stride = 1;
  Size2d padding = 0;
  Size2d dilation = 1;

  [[nodiscard]] WindowSide rows() const {
    return {kernel.height, stride.height, padding.height, dilation.height};
  }
  [[nodiscard]] WindowSide columns() const {
    return {kernel.width, stride.width, padding.width, dilation.width};
  }
};

/// Some neighbouring places: first, first + 1, ... last - 1.
struct PlaceRange {
  std::int64_t first;
  std::int64_t last;
};

/// Those of a window's `count` places at which its element `k` lies on the side, not in the padding.
inline PlaceRange places_inside(const WindowSide& side, std::int64_t k, std::int64_t size,
                                std::int64_t count) {
  const std::int64_t offset = side.offset(k);
  const std::int64_t first = offset >= 0 ? 0 : (-offset + side.stride - 1) / side.stride;
  const std::int64_t last = offset >= size ? 0 : (size - offset - 1) / side.stride + 1;
  return {std::min(first, count), std::max(std::min(first, count), std::min(last, count))};
}

/// Those of the window's elements that lie on the side when it is at `place`: first, ... last - 1.
inline PlaceRange elements_inside(const WindowSide& side, std::int64_t place, std::int64_t size) {
  const std::int64_t before = side.padding - place * side.stride;  // elements of the padding that it reaches
  const std::int64_t first = before <= 0 ? 0 : (before + side.dilation - 1) / side.dilation;
  const std::int64_t last = before + size <= 0 ? 0 : (before + size - 1) / side.dilation + 1;
  return {std::min(first, side.kernel), std::max(std::min(first, side.kernel), std::min(last, side.kernel))};
}

/// A window at all its places on every plane of an array [planes, h, w].
struct WindowedPlanes {
  std::int64_t planes;
  Size2d image;   // h, w
  Size2d places;  // in each direction
  Window window;

  [[nodiscard]] std::int64_t plane_size() const { return image.height * image.width; }
  [[nodiscard]] std::int64_t place_count() const { return places.height * places.width; }
};

/// Planes that one thread takes at a time, for `work` elements read or written for each plane.
inline std::int64_t planes_per_tile(std::int64_t work) {
  constexpr std::int64_t tile_work = 1 << 15;
  return std::max<std::int64_t>(1, tile_work / std::max<std::int64_t>(1, work));
}

}  // namespace xtgrad::v1::detail
