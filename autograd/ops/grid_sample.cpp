#include <fmt/format.h>

#include <array>
#include <limits>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/functions/image_sampling.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/point_samples.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

// Of a grid come the corners of boxes of pixels, and weights, in steps that do not depend on the number of
// channels; what does is point_samples.h.

/// From a grid's -1 to 1 to indices of a side.
Tensor to_index(const Tensor& place, std::int64_t side, bool align_corners) {
  const auto size = static_cast<double>(side);
  return place * ((align_corners ? size - 1 : size) / 2) + (size - 1) / 2;
}

/// Mirrored at `low` and `low + span` until it lies between. At `low` itself the slope is 1.
Tensor reflected(const Tensor& x, double low, double span) {
  const Tensor from_low = where(x < low, low - x, x - low);
  const Tensor flips = floor(from_low.detach() / span);
  const Tensor rest = from_low - flips * span;
  const Tensor is_odd = flips - floor(flips / 2) * 2;
  return where(is_odd == 0, rest, span - rest) + low;
}

/// Where a place beyond the image stands for one in it.
Tensor moved_inside(const Tensor& index, std::int64_t side, const GridSampleOptions& options) {
  const auto size = static_cast<double>(side);
  Tensor inside = index;
  if (options.padding == GridPadding::zeros) return inside;
  if (options.padding == GridPadding::reflection) {
    if (!options.align_corners) {
      inside = reflected(index, -0.5, size);
    } else if (side > 1) {
      inside = reflected(index, 0, size - 1);
    }
  }
  return clamp(inside, {.min = 0, .max = size - 1});
}

/// Weights of four neighbours, the second of which is `t` before the place.
std::array<Tensor, 4> cubic_weights(const Tensor& t) {
  constexpr double a = -0.75;
  const auto near = [](const Tensor& s) { return ((a + 2) * s - (a + 3)) * square(s) + 1; };
  const auto far = [](const Tensor& s, const Tensor& rest) { return a * square(s) * rest; };
  const Tensor rest = 1 - t;
  return {far(rest, t), near(t), near(rest), far(t, rest)};
}

/// The boxes of one direction: their first indices, [n, points], and weights, [n, box_side, points].
struct SideWeights {
  Tensor corner, weights;
};

SideWeights side_weights(const Tensor& place, std::int64_t side, const GridSampleOptions& options) {
  const Tensor index = to_index(place, side, options.align_corners);
  if (options.mode == Interpolation::bicubic) {  // its box is moved inside pixel by pixel
    const Tensor corner = floor(index.detach());
    return {corner - 1, stack(cubic_weights(index - corner), 1)};
  }
  const Tensor inside = moved_inside(index, side, options);
  if (options.mode == Interpolation::nearest) return {round(inside), {}};
  const Tensor corner = floor(inside.detach());
  const Tensor rest = inside - corner;
  return {corner, stack({1 - rest, rest}, 1)};
}

/// Products of all directions' weights, [n, box, points].
Tensor box_weights(const std::vector<SideWeights>& sides) {
  Tensor product = sides[0].weights;
  for (std::size_t d = 1; d < sides.size(); ++d) {
    const Shape &slow = product.shape(), &fast = sides[d].weights.shape();
    const Tensor all = reshaped(product, {slow[0], slow[1], 1, slow[2]}) *
                       reshaped(sides[d].weights, {fast[0], 1, fast[1], fast[2]});
    product = reshaped(all, {slow[0], slow[1] * fast[1], slow[2]});
  }
  return product;
}

void check_grid(const Tensor& x, const Tensor& grid, const GridSampleOptions& options) {
  constexpr OpId op = OpId::grid_sample;
  check_same_dtype(op, array_of(x), array_of(grid), {"x", "grid"});
  check_floating(op, array_of(x));
  if (options.mode != Interpolation::bilinear && options.mode != Interpolation::nearest &&
      options.mode != Interpolation::bicubic) {
    throw ValueError(fmt::format("grid_sample: the mode must be bilinear, nearest or bicubic, got {}",
                                 to_string(options.mode)));
  }
  const Shape &of_x = x.shape(), &of_grid = grid.shape();
  if (of_x.rank() != 4 && of_x.rank() != 5) {
    throw ShapeError(
        fmt::format("grid_sample: x must be [n, c, h, w] or [n, c, d, h, w]: x is {}", to_string(of_x)));
  }
  if (of_x.rank() == 5 && options.mode == Interpolation::bicubic)
    throw ShapeError(
        fmt::format("grid_sample: bicubic is for images [n, c, h, w]: x is {}", to_string(of_x)));
  const auto directions = static_cast<std::int64_t>(of_x.rank()) - 2;
  if (of_grid.rank() != of_x.rank() || of_grid[0] != of_x[0] || of_grid.back() != directions) {
    throw ShapeError(fmt::format("grid_sample: the grid must be {}: x is {}, the grid is {}",
                                 directions == 2 ? "[n, h', w', 2]" : "[n, d', h', w', 3]", to_string(of_x),
                                 to_string(of_grid)));
  }
  for (std::size_t d = 2; d < of_x.rank(); ++d) {
    if (of_x[d] >= 1 && of_x[d] <= std::numeric_limits<std::int32_t>::max()) continue;
    throw ShapeError(fmt::format("grid_sample: needs from 1 to 2^31 - 1 elements along each side: x is {}",
                                 to_string(of_x)));
  }
}

/// Evenly spaced from one edge of a side to the other: the middles of its elements.
Tensor middles(std::int64_t side, bool align_corners, Dtype dtype) {
  if (side == 1) return zeros({1}, {.dtype = dtype});
  const double end = align_corners ? 1 : 1 - 1 / static_cast<double>(side);
  return linspace(-end, end, side, {.dtype = dtype});
}

void check_affine(const Tensor& theta, const Shape& size) {
  check_floating(OpId::affine_grid, array_of(theta));
  if (size.rank() != 4 && size.rank() != 5) {
    throw ShapeError(
        fmt::format("affine_grid: size must be [n, c, h, w] or [n, c, d, h, w], it is {}", to_string(size)));
  }
  for (std::size_t d = 0; d < size.rank(); ++d) {
    if (size[d] < 1)
      throw ShapeError(fmt::format("affine_grid: sizes must be at least 1: size is {}", to_string(size)));
  }
  const auto directions = static_cast<std::int64_t>(size.rank()) - 2;
  const Shape wanted{size[0], directions, directions + 1};
  if (theta.shape() == wanted) return;
  throw ShapeError(fmt::format("affine_grid: theta must be {}: theta is {}, size {}", to_string(wanted),
                               to_string(theta.shape()), to_string(size)));
}

}}  // namespace detail

Tensor affine_grid(const Tensor& theta, const Shape& size, const AffineGridOptions& options) {
  detail::check_affine(theta, size);
  const std::size_t directions = size.rank() - 2;
  // Column k of theta is that of direction k from the right, the last one the shift; each stands beside
  // [n, sides..., directions].
  Shape of_column{size[0]};
  for (std::size_t d = 0; d < directions; ++d) of_column.push_back(1);
  of_column.push_back(static_cast<std::int64_t>(directions));
  const auto column = [&](std::size_t k) {
    return detail::reshaped(select(theta, 2, static_cast<std::int64_t>(k)), of_column);
  };
  Tensor grid = column(directions);
  for (std::size_t d = 0; d < directions; ++d) {
    const std::int64_t side = size[d + 2];
    Shape along = of_column;
    along[0] = along[directions + 1] = 1;
    along[d + 1] = side;
    const Tensor middles =
        detail::reshaped(detail::middles(side, options.align_corners, theta.dtype()), along);
    grid = grid + middles * column(directions - 1 - d);
  }
  return grid;
}

Tensor grid_sample(const Tensor& x, const Tensor& grid, const GridSampleOptions& options) {
  detail::check_grid(x, grid, options);
  const Shape &of_x = x.shape(), &of_grid = grid.shape();
  const std::size_t directions = of_x.rank() - 2;
  Shape sides, result{of_x[0], of_x[1]};
  std::int64_t points = 1;
  for (std::size_t d = 0; d < directions; ++d) {
    sides.push_back(of_x[d + 2]);
    result.push_back(of_grid[d + 1]);
    points *= of_grid[d + 1];
  }
  std::vector<detail::SideWeights> weights;
  std::vector<Tensor> corners;
  for (std::size_t d = 0; d < directions; ++d) {
    const auto component = static_cast<std::int64_t>(directions - 1 - d);
    const Tensor place = detail::reshaped(select(grid, -1, component), {of_x[0], points});
    weights.push_back(detail::side_weights(place, sides[d], options));
    corners.push_back(weights.back().corner);
  }
  const bool is_nearest = options.mode == Interpolation::nearest;
  const bool is_cubic = options.mode == Interpolation::bicubic;
  const detail::PixelBoxes boxes{.sides = sides,
                                 .box_side = is_nearest ? 1
                                             : is_cubic ? 4
                                                        : 2,
                                 .padding = is_cubic ? options.padding : GridPadding::zeros,
                                 .align_corners = options.align_corners};
  const Tensor of_boxes =
      is_nearest ? ones({of_x[0], 1, points}, {.dtype = x.dtype()}) : detail::box_weights(weights);
  return detail::reshaped(detail::values_at(boxes, x, of_boxes, stack(corners, 1)), result);
}

}  // namespace xtgrad::v1
