#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <optional>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/functions/scatter.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/index_range.h"
#include "xtgrad/autograd/ops/shape.h"
#include "xtgrad/autograd/ops/windows.h"
#include "xtgrad/autograd/ops/windows_nd.h"
#include "xtgrad/autograd/where_safe.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

// A signal is pooled as an image of one row; a volume in its planes, and then along the depth, where all
// elements of a plane side by side are a row of another image. The first of equal elements in a plane, and of
// planes, is the first in scan order; divisors are products of one for each direction, clipped ends and all.

/// [n, c, l] as [n, c, 1, l], and back.
Tensor as_row(const Tensor& signal) {
  const Shape& shape = signal.shape();
  return reshaped(signal, {shape[0], shape[1], 1, shape[2]});
}
Tensor as_signal(const Tensor& image) {
  const Shape& shape = image.shape();
  return reshape(image, {shape[0], shape[1], shape[3]});
}

/// Pools x [n, c, d, h, w] by two functions of images, of its planes and of its depth, to [n, c, places].
Tensor pool_volume(const Tensor& x, const PerDirection& places, const auto& pool_planes,
                   const auto& pool_depth) {
  const Shape& shape = x.shape();
  const std::int64_t n = shape[0], c = shape[1], depth = shape[2];
  const Tensor planes = pool_planes(reshaped(x, {n, c * depth, shape[3], shape[4]}));
  const Tensor rows = reshaped(planes, {n, c, depth, places[1] * places[2]});
  return reshape(pool_depth(rows), {n, c, places[0], places[1], places[2]});
}

/// Checks all of a pooling, and returns the sides of its result.
PerDirection checked_places(OpId op, const Tensor& x, const WindowNd& window, bool ceil_mode) {
  check_floating(op, array_of(x));
  check_pool_window(op, window);
  check_directions(op, x.shape(), window.kernel.count());
  return places_of(op, x.shape(), window, ceil_mode, EmptySides::refused);
}

void check_divisor(OpId op, const std::optional<std::int64_t>& divisor) {
  if (!divisor || *divisor >= 1) return;
  throw ValueError(fmt::format("{}: divisor_override must be at least 1, got {}", to_string(op), *divisor));
}

/// Options of the planes of a volume, and of its depth.
Size2d of_plane(const Size3d& size) { return {size.height, size.width}; }
Size2d of_depth(const Size3d& size, std::int64_t across) { return {size.depth, across}; }

void check_p(OpId op, double p) {
  if (p > 0 && std::isfinite(p)) return;
  throw ValueError(fmt::format("{}: p must be above 0 and finite, got {}", to_string(op), p));
}

/// s^(1 / p), and 0 where s is 0, without a slope.
Tensor root_of(const Tensor& s, double p) {
  if (p == 1) return s;
  const auto root = [p](const Tensor& some) {
    if (p == 2) return sqrt(some);
    if (std::fmod(p, 2) == 1) return sign(some) * pow(abs(some), 1 / p);
    return pow(some, 1 / p);
  };
  return where_safe(s != 0, s, root, 0);
}

/// Of an image, whose options have been checked.
Tensor power_average(const Tensor& x, double p, const AvgPool2dOptions& window) {
  const Tensor powers = p == 1 ? x : pow(x, p);
  const auto count = static_cast<double>(window.kernel.height * window.kernel.width);
  if (window.ceil_mode) return root_of(avg_pool2d(powers, window) * count, p);
  AvgPool2dOptions sum = window;
  sum.divisor_override = 1;
  return root_of(avg_pool2d(powers, sum), p);
}

/// The sides of what max_unpool2d makes.
Size2d unpooled_sides(const Shape& x, const MaxUnpool2dOptions& options) {
  constexpr OpId op = OpId::max_unpool2d;
  const Window window{options.kernel, options.stride.value_or(options.kernel), options.padding};
  check_window(op, window);
  const auto side = [](std::int64_t places, const WindowSide& w) {
    return (places - 1) * w.stride - 2 * w.padding + w.kernel;
  };
  constexpr std::int64_t largest = std::numeric_limits<std::int32_t>::max();
  if (x[2] > largest || x[3] > largest)
    throw ShapeError(fmt::format("max_unpool2d: more than 2^31 - 1 rows or columns: x is {}", to_string(x)));
  const Size2d usual(side(x[2], window.rows()), side(x[3], window.columns()));
  const Size2d size = options.output.value_or(usual);
  check_image_size(op, size, "the output");
  const auto is_near = [](std::int64_t a, std::int64_t b, std::int64_t stride) {
    return std::abs(a - b) < stride;
  };
  if (!is_near(size.height, usual.height, window.stride.height) ||
      !is_near(size.width, usual.width, window.stride.width)) {
    throw ValueError(
        fmt::format("max_unpool2d: the output must be less than a stride from {}, got {}, stride {}: x is {}",
                    to_string(usual), to_string(size), to_string(window.stride), to_string(x)));
  }
  return size;
}

void check_unpooled(const Tensor& x, const Tensor& places) {
  constexpr OpId op = OpId::max_unpool2d;
  check_floating(op, array_of(x));
  if (places.dtype() != int64 && places.dtype() != int32) {
    throw DtypeError(
        fmt::format("max_unpool2d: places must be int32 or int64, got {}; convert with to(int64)",
                    to_string(places.dtype())));
  }
  check_image(op, x.shape());
  if (x.shape() == places.shape()) return;
  throw ShapeError(fmt::format("max_unpool2d: x and places must have one shape: x is {}, places is {}",
                               to_string(x.shape()), to_string(places.shape())));
}

}}  // namespace detail

using detail::OpId;

Tensor max_pool1d(const Tensor& x, const MaxPool1dOptions& options) {
  const std::int64_t stride = options.stride.value_or(options.kernel);
  static_cast<void>(detail::checked_places(
      OpId::max_pool1d, x, {options.kernel, stride, options.padding, options.dilation}, options.ceil_mode));
  return detail::as_signal(max_pool2d(detail::as_row(x), {.kernel = {1, options.kernel},
                                                          .stride = Size2d(1, stride),
                                                          .padding = {0, options.padding},
                                                          .dilation = {1, options.dilation},
                                                          .ceil_mode = options.ceil_mode}));
}

Tensor max_pool3d(const Tensor& x, const MaxPool3dOptions& options) {
  const Size3d stride = options.stride.value_or(options.kernel);
  const auto places = detail::checked_places(
      OpId::max_pool3d, x, {options.kernel, stride, options.padding, options.dilation}, options.ceil_mode);
  const auto of_planes = [&](const Tensor& planes) {
    return max_pool2d(planes, {.kernel = detail::of_plane(options.kernel),
                               .stride = detail::of_plane(stride),
                               .padding = detail::of_plane(options.padding),
                               .dilation = detail::of_plane(options.dilation),
                               .ceil_mode = options.ceil_mode});
  };
  const auto of_depth = [&](const Tensor& rows) {
    return max_pool2d(rows, {.kernel = detail::of_depth(options.kernel, 1),
                             .stride = detail::of_depth(stride, 1),
                             .padding = detail::of_depth(options.padding, 0),
                             .dilation = detail::of_depth(options.dilation, 1),
                             .ceil_mode = options.ceil_mode});
  };
  return detail::pool_volume(x, places, of_planes, of_depth);
}

Tensor avg_pool1d(const Tensor& x, const AvgPool1dOptions& options) {
  const std::int64_t stride = options.stride.value_or(options.kernel);
  static_cast<void>(detail::checked_places(OpId::avg_pool1d, x, {options.kernel, stride, options.padding, 1},
                                           options.ceil_mode));
  return detail::as_signal(avg_pool2d(detail::as_row(x), {.kernel = {1, options.kernel},
                                                          .stride = Size2d(1, stride),
                                                          .padding = {0, options.padding},
                                                          .ceil_mode = options.ceil_mode,
                                                          .count_include_pad = options.count_include_pad}));
}

Tensor avg_pool3d(const Tensor& x, const AvgPool3dOptions& options) {
  const Size3d stride = options.stride.value_or(options.kernel);
  const auto places = detail::checked_places(
      OpId::avg_pool3d, x, {options.kernel, stride, options.padding, Size3d(1)}, options.ceil_mode);
  detail::check_divisor(OpId::avg_pool3d, options.divisor_override);
  AvgPool2dOptions planes{.kernel = detail::of_plane(options.kernel),
                          .stride = detail::of_plane(stride),
                          .padding = detail::of_plane(options.padding),
                          .ceil_mode = options.ceil_mode,
                          .count_include_pad = options.count_include_pad};
  AvgPool2dOptions depth = planes;
  depth.kernel = detail::of_depth(options.kernel, 1);
  depth.stride = detail::of_depth(stride, 1);
  depth.padding = detail::of_depth(options.padding, 0);
  depth.divisor_override = options.divisor_override;
  if (options.divisor_override) planes.divisor_override = 1;
  return detail::pool_volume(
      x, places, [&](const Tensor& images) { return avg_pool2d(images, planes); },
      [&](const Tensor& rows) { return avg_pool2d(rows, depth); });
}

Tensor lp_pool1d(const Tensor& x, const LPPool1dOptions& options) {
  const std::int64_t stride = options.stride.value_or(options.kernel);
  detail::check_p(OpId::lp_pool1d, options.p);
  static_cast<void>(
      detail::checked_places(OpId::lp_pool1d, x, {options.kernel, stride, 0, 1}, options.ceil_mode));
  return detail::as_signal(detail::power_average(
      detail::as_row(x), options.p,
      {.kernel = {1, options.kernel}, .stride = Size2d(1, stride), .ceil_mode = options.ceil_mode}));
}

Tensor lp_pool2d(const Tensor& x, const LPPool2dOptions& options) {
  const Size2d stride = options.stride.value_or(options.kernel);
  detail::check_p(OpId::lp_pool2d, options.p);
  static_cast<void>(detail::checked_places(OpId::lp_pool2d, x, {options.kernel, stride, Size2d(0), Size2d(1)},
                                           options.ceil_mode));
  return detail::power_average(x, options.p,
                               {.kernel = options.kernel, .stride = stride, .ceil_mode = options.ceil_mode});
}

Tensor max_unpool2d(const Tensor& x, const Tensor& places, const MaxUnpool2dOptions& options) {
  detail::check_unpooled(x, places);
  const Shape& shape = x.shape();
  const Size2d image = detail::unpooled_sides(shape, options);
  const std::int64_t planes = shape[0] * shape[1], count = shape[2] * shape[3];
  const Tensor nothing = zeros({planes, image.height * image.width}, {.dtype = x.dtype()});
  const Tensor index = detail::reshaped(detail::widened(places), {planes, count});
  return reshape(scatter(nothing, 1, index, detail::reshaped(x, {planes, count})),
                 {shape[0], shape[1], image.height, image.width});
}

}  // namespace xtgrad::v1
