#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/interpolation.h"

namespace xtgrad::inline v1::detail {

// Images at points: an image's value at a point is a sum of weight times pixel over the pixels of a small
// box. Arrays of one dtype: images x [n, c, sides...], weights [n, box, points], corners [n, directions,
// points], which are the whole-numbered indices of each box's first pixel, the slowest direction first, and
// values y [n, c, points]. A box's pixels are counted in row-major order. With a cotangent g of y, the sum of
// g times y is linear in g, in the weights and in x; the kernels are its derivatives by each.

struct PointSamples {
  static constexpr std::size_t most_directions = 3;

  std::int64_t n = 0, c = 0, points = 0;
  std::size_t directions = 2;
  std::array<std::int64_t, most_directions> sides{};  // of an image
  std::int64_t box_side = 2;                          // 1, 2 or 4; of 4 in two directions at most
  GridPadding padding = GridPadding::zeros;           // what a box has beyond the image
  bool align_corners = false;                         // of reflection

  [[nodiscard]] std::int64_t plane_size() const {
    std::int64_t size = 1;
    for (std::size_t d = 0; d < directions; ++d) size *= sides[d];
    return size;
  }
  [[nodiscard]] std::int64_t box() const {
    std::int64_t size = 1;
    for (std::size_t d = 0; d < directions; ++d) size *= box_side;
    return size;
  }
};

/// Values at the points. Zeros beyond the image take part like other numbers.
void take_points(const PointSamples& at, const Array& x, const Array& weights, const Array& corners,
                 Array& y);
/// Images to which each point has added weight times g at its pixels.
void put_points(const PointSamples& at, const Array& g, const Array& weights, const Array& corners, Array& x);
/// For each weight the sum of g times pixel over the channels.
void dot_points(const PointSamples& at, const Array& x, const Array& g, const Array& corners, Array& weights);

}  // namespace xtgrad::v1::detail
