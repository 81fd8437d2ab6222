// Signals, images and volumes at other places: other sizes, grids of points, channels as pixels.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/interpolation.h"
#include "xtgrad/autograd/shape.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

struct ResampleOptions {
  std::int64_t axis = -1;
  std::optional<std::int64_t> size = std::nullopt;  ///< of the result
  std::optional<double> scale = std::nullopt;       ///< or how many times as many elements, rounded down
  Interpolation mode = Interpolation::linear;
  bool align_corners = false;  ///< the first and last elements keep their places; of linear and cubic
};
/// x along an axis at `size` evenly spaced places. Element j of the result stands at (j + 1/2) n / size - 1/2
/// of an axis of n, or at j (n - 1) / (size - 1) if corners are aligned; where a scale is given, n / size is
/// 1 / scale, but for area, and for linear where the size stays. What lies beyond the ends is the element at
/// the end. A neighbour without a share is not looked at, be it NaN. Linear in x. Throws ValueError unless
/// there is either a size or a scale, ShapeError for an axis without elements.
[[nodiscard]] Tensor resample(const Tensor& x, const ResampleOptions& options);

struct InterpolateOptions {
  Dims size = {};                  ///< of the result: of each direction, or one for all
  std::vector<double> scale = {};  ///< or how many times as large
  Interpolation mode = Interpolation::nearest;
  bool align_corners = false;  ///< pixels at the corners keep their places; of linear and cubic
};
/// x [n, c, l], [n, c, h, w] or [n, c, d, h, w] in another size: resample in each direction. Cubic is for
/// images alone.
[[nodiscard]] Tensor interpolate(const Tensor& x, const InterpolateOptions& options);

struct AffineGridOptions {
  bool align_corners = false;
};
/// A grid for grid_sample: where the pixels of images of `size` [n, c, h, w] lie under theta [n, 2, 3]: the
/// places (x, y) = theta (u, v, 1), [n, h, w, 2], of pixels at (u, v). In both, -1 and 1 are the image's
/// edges, or the middles of its outermost pixels if corners are aligned. For volumes, size [n, c, d, h, w]
/// and theta [n, 3, 4]: [n, d, h, w, 3].
[[nodiscard]] Tensor affine_grid(const Tensor& theta, const Shape& size,
                                 const AffineGridOptions& options = {});

struct GridSampleOptions {
  Interpolation mode = Interpolation::bilinear;  ///< or nearest, or bicubic
  GridPadding padding = GridPadding::zeros;
  bool align_corners = false;  ///< -1 and 1 are the middles of the outermost pixels, and not the edges
};
/// x [n, c, h, w] at the places (x, y) of a grid [n, h', w', 2]: [n, c, h', w'], and for volumes [n, c, d, h,
/// w] and places (x, y, z) of a grid [n, d', h', w', 3] the same, which bicubic is not for. -1 and 1 are the
/// edges of x. Differentiable in both; in the grid, nearest has slope 0, and a place that padding has moved
/// to the border has none beyond it.
[[nodiscard]] Tensor grid_sample(const Tensor& x, const Tensor& grid, const GridSampleOptions& options = {});

/// Channels as pixels: [..., c r^2, h, w] to [..., c, h r, w r], r the factor. Channel (c, i, j) has the
/// pixels in rows i, i + r, ... and columns j, j + r, ... (sub-pixel convolution).
[[nodiscard]] Tensor pixel_shuffle(const Tensor& x, std::int64_t factor);
/// Undoes pixel_shuffle: [..., c, h r, w r] to [..., c r^2, h, w].
[[nodiscard]] Tensor pixel_unshuffle(const Tensor& x, std::int64_t factor);

}}  // namespace xtgrad::v1
