#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string_view>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/shape.h"
#include "xtgrad/autograd/ops/slice.h"
#include "xtgrad/autograd/ops/windows.h"
#include "xtgrad/autograd/ops/windows_nd.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

// A signal is an image of one row. A volume is cut into images: for each place along the depth the planes
// that the window meets there, side by side as channels, of which conv2d makes one plane of the result.

/// A convolution in any number of directions, or the transpose of one.
struct ConvNd {
  OpId op;
  PerDirection stride, padding, dilation;
  std::int64_t groups;

  [[nodiscard]] std::size_t directions() const { return stride.count(); }
  [[nodiscard]] WindowNd window(const Shape& weight) const {
    return {PerDirection(weight), stride, padding, dilation};
  }
};

void check_weight(const ConvNd& conv, const Shape& weight) {
  const std::string_view name = to_string(conv.op);
  if (weight.rank() != conv.directions() + 2) {
    throw ShapeError(fmt::format("{}: weight needs {} dimensions [out, in / groups, {}]: weight is {}", name,
                                 conv.directions() + 2, conv.directions() == 1 ? "k" : "kd, kh, kw",
                                 to_string(weight)));
  }
  for (std::size_t d = 2; d < weight.rank(); ++d) {
    if (weight[d] < 1)
      throw ShapeError(fmt::format("{}: the kernel has no elements: weight is {}", name, to_string(weight)));
  }
  if (conv.groups < 1)
    throw ValueError(fmt::format("{}: groups must be at least 1, got {}", name, conv.groups));
  if (weight[0] % conv.groups != 0) {
    throw ShapeError(
        fmt::format("{}: groups must divide the first dimension of weight: weight is {}, groups {}", name,
                    to_string(weight), conv.groups));
  }
}

void check_operands(const ConvNd& conv, const Tensor& x, const Tensor& weight) {
  check_same_dtype(conv.op, array_of(x), array_of(weight), {"x", "weight"});
  check_floating(conv.op, array_of(x));
  check_weight(conv, weight.shape());
  check_directions(conv.op, x.shape(), conv.directions());
}

void check_bias(OpId op, const Tensor& weight, const Tensor* bias, std::int64_t channels) {
  if (bias == nullptr) return;
  check_same_dtype(op, array_of(weight), array_of(*bias), {"weight", "bias"});
  if (bias->shape() == Shape{channels}) return;
  throw ShapeError(fmt::format("{}: bias needs one element an output channel: weight is {}, bias is {}",
                               to_string(op), to_string(weight.shape()), to_string(bias->shape())));
}

[[noreturn]] void throw_channels(const ConvNd& conv, std::string_view rule, const Shape& x,
                                 const Shape& weight) {
  throw ShapeError(fmt::format("{}: {}: x is {}, weight is {}, groups {}", to_string(conv.op), rule,
                               to_string(x), to_string(weight), conv.groups));
}

/// Checks all of a convolution and returns the sides of its result.
PerDirection checked_places(const ConvNd& conv, const Tensor& x, const Tensor& weight, const Tensor* bias) {
  check_operands(conv, x, weight);
  const Shape &of_x = x.shape(), &of_weight = weight.shape();
  if (of_x[1] % conv.groups != 0 || of_x[1] / conv.groups != of_weight[1])
    throw_channels(conv, "x must have in / groups channels for each group", of_x, of_weight);
  check_window(conv.op, conv.window(of_weight));
  const PerDirection places = places_of(conv.op, of_x, conv.window(of_weight), false, EmptySides::padded);
  check_bias(conv.op, weight, bias, of_weight[0]);
  return places;
}

/// Checks all of a transposed convolution and returns the sides of its result.
PerDirection checked_sides(const ConvNd& conv, const PerDirection& extra, const Tensor& x,
                           const Tensor& weight, const Tensor* bias) {
  check_operands(conv, x, weight);
  const Shape &of_x = x.shape(), &of_weight = weight.shape();
  if (of_x[1] != of_weight[0])
    throw_channels(conv, "x needs as many channels as weight has in its first dimension", of_x, of_weight);
  const WindowNd window = conv.window(of_weight);
  check_window(conv.op, window);
  PerDirection sides = extra;
  for (std::size_t d = 0; d < sides.count(); ++d) {
    if (extra[d] < 0 || extra[d] >= conv.stride[d]) {
      throw ValueError(
          fmt::format("{}: output_padding must be at least 0 and less than stride: it is {}, stride {}",
                      to_string(conv.op), to_string(extra), to_string(conv.stride)));
    }
  }
  // Places of the window on what it makes are asked of x's sides, which also keeps sums in int64.
  constexpr std::int64_t largest = std::numeric_limits<std::int32_t>::max();
  for (std::size_t d = 0; d < sides.count(); ++d) {
    const std::int64_t places = of_x[d + 2];
    sides[d] = (std::min(places, largest) - 1) * conv.stride[d] - 2 * conv.padding[d] +
               window.side(d).extent() + extra[d];
    if (places >= 1 && places <= largest && sides[d] >= 0) continue;
    const char* what = places < 1         ? "a side of x has no elements"
                       : places > largest ? "a side of x has more than 2^31 - 1 elements"
                                          : "a side of the result is negative";
    throw ShapeError(fmt::format("{}: {}: x is {}, weight is {}, stride {}, padding {}", to_string(conv.op),
                                 what, to_string(of_x), to_string(of_weight), to_string(conv.stride),
                                 to_string(conv.padding)));
  }
  check_bias(conv.op, weight, bias, of_weight[1] * conv.groups);
  return sides;
}

Tensor with_bias(const Tensor& y, const Tensor* bias) {
  if (bias == nullptr) return y;
  Shape beside{bias->size(0)};
  for (std::size_t d = 2; d < y.rank(); ++d) beside.push_back(1);
  return y + reshaped(*bias, beside);
}

/// [n, c, l] as [n, c, 1, l].
Tensor as_row(const Tensor& signal) {
  const Shape& shape = signal.shape();
  return reshaped(signal, {shape[0], shape[1], 1, shape[2]});
}
Tensor as_signal(const Tensor& image) {
  const Shape& shape = image.shape();
  return reshape(image, {shape[0], shape[1], shape[3]});
}

/// The same with a row's options: nothing across rows.
Size2d along(const PerDirection& numbers, std::int64_t across_rows) { return {across_rows, numbers[0]}; }
/// Of the planes of a volume.
Size2d of_plane(const PerDirection& numbers) { return {numbers[1], numbers[2]}; }

Conv2dOptions row_options(const ConvNd& conv) {
  return {.stride = along(conv.stride, 1),
          .padding = along(conv.padding, 0),
          .dilation = along(conv.dilation, 1),
          .groups = conv.groups};
}

Conv2dOptions plane_options(const ConvNd& conv) {
  return {.stride = of_plane(conv.stride),
          .padding = of_plane(conv.padding),
          .dilation = of_plane(conv.dilation),
          .groups = conv.groups};
}

/// Windows along the depth of volumes [n, c, depth, h, w], padded already.
struct DepthWindows {
  std::int64_t channels, depth, places;
  WindowSide side;

  /// For each place, channel and plane of the window the plane's number in a volume, [places * channels *
  /// kernel].
  [[nodiscard]] Tensor planes() const {
    const Tensor at_place = arange(places * side.stride, {.step = side.stride});
    const Tensor of_channel = arange(channels * depth, {.step = depth});
    const Tensor of_window = arange(side.extent(), {.step = side.dilation});
    const Tensor in_channel = reshaped(of_channel, {channels, 1}) + of_window;
    return reshaped(reshaped(at_place, {places, 1, 1}) + in_channel, {places * channels * side.kernel});
  }
  /// There is one window, of all of the depth.
  [[nodiscard]] bool is_all() const { return places == 1 && side.kernel == depth; }
};

DepthWindows depth_windows(const ConvNd& conv, std::int64_t channels, std::int64_t depth, std::int64_t places,
                           const Shape& weight) {
  // What int64 cannot count are planes of no elements.
  static_cast<void>(checked_product(conv.op, weight, checked_product(conv.op, weight, channels, depth),
                                    checked_product(conv.op, weight, places, weight[2])));
  return {.channels = channels,
          .depth = depth,
          .places = places,
          .side = {weight[2], conv.stride[0], 0, conv.dilation[0]}};
}

/// weight [out, in / groups, kd, kh, kw] as that of images whose channels are planes.
Tensor plane_weight(const Tensor& weight) {
  const Shape& shape = weight.shape();
  return reshaped(weight, {shape[0], shape[1] * shape[2], shape[3], shape[4]});
}

/// x [n, c, d, h, w] as images [n * places, c * kernel, h, w].
Tensor windows_of(const Tensor& x, const DepthWindows& windows) {
  const Shape& shape = x.shape();
  const Shape images{shape[0] * windows.places, windows.channels * windows.side.kernel, shape[3], shape[4]};
  if (windows.is_all() || x.numel() == 0) return reshaped(x, images);
  if (windows.side.kernel == 1 && windows.side.stride == 1)
    return reshaped(permuted(x, {0, 2, 1, 3, 4}), images);
  const Tensor planes = reshaped(x, {shape[0], windows.channels * windows.depth, shape[3], shape[4]});
  return reshaped(index_select(planes, 1, windows.planes()), images);
}

/// The adjoint: images [n * places, c * kernel, h, w] added up in volumes [n, c, depth, h, w].
Tensor volumes_of(const Tensor& images, const DepthWindows& windows, std::int64_t n) {
  const Shape& shape = images.shape();
  const Shape volumes{n, windows.channels, windows.depth, shape[2], shape[3]};
  if (windows.is_all() || images.numel() == 0) return reshaped(images, volumes);
  if (windows.side.kernel == 1 && windows.side.stride == 1 && windows.places == windows.depth) {
    const Tensor planes = reshaped(images, {n, windows.places, windows.channels, shape[2], shape[3]});
    return permuted(planes, {0, 2, 1, 3, 4});
  }
  const std::int64_t count = windows.places * windows.channels * windows.side.kernel;
  const Tensor nothing =
      zeros({n, windows.channels * windows.depth, shape[2], shape[3]}, {.dtype = images.dtype()});
  const Tensor planes = reshaped(images, {n, count, shape[2], shape[3]});
  return reshaped(index_add(nothing, 1, windows.planes(), planes), volumes);
}

/// Volumes [n, c, d, h, w] of planes [n * d, c, h, w].
Tensor from_planes(const Tensor& planes, std::int64_t n, std::int64_t depth) {
  const Shape& shape = planes.shape();
  if (depth == 1) return reshaped(planes, {n, shape[1], 1, shape[2], shape[3]});
  return permute(reshaped(planes, {n, depth, shape[1], shape[2], shape[3]}), {0, 2, 1, 3, 4});
}

Tensor conv_row(const ConvNd& conv, const Tensor& x, const Tensor& weight, const Tensor* bias) {
  static_cast<void>(checked_places(conv, x, weight, bias));
  const Tensor row = as_row(x), kernel = as_row(weight);
  return as_signal(bias != nullptr ? conv2d(row, kernel, *bias, row_options(conv))
                                   : conv2d(row, kernel, row_options(conv)));
}

Tensor conv_volume(const ConvNd& conv, const Tensor& x, const Tensor& weight, const Tensor* bias) {
  const PerDirection places = checked_places(conv, x, weight, bias);
  const std::int64_t around = conv.padding[0];
  const Tensor volume = padded(x, {.axis = 2, .low = around, .high = around});
  const DepthWindows windows =
      depth_windows(conv, x.size(1), x.size(2) + 2 * around, places[0], weight.shape());
  const Tensor images = windows_of(volume, windows), kernel = plane_weight(weight);
  const Tensor y = bias != nullptr ? conv2d(images, kernel, *bias, plane_options(conv))
                                   : conv2d(images, kernel, plane_options(conv));
  return from_planes(y, x.size(0), places[0]);
}

ConvTranspose2dOptions transposed(const Conv2dOptions& options, const Size2d& extra) {
  return {.stride = options.stride,
          .padding = options.padding,
          .output_padding = extra,
          .dilation = options.dilation,
          .groups = options.groups};
}

Tensor transpose_row(const ConvNd& conv, const PerDirection& extra, const Tensor& x, const Tensor& weight,
                     const Tensor* bias) {
  static_cast<void>(checked_sides(conv, extra, x, weight, bias));
  const Tensor y =
      conv_transpose2d(as_row(x), as_row(weight), transposed(row_options(conv), along(extra, 0)));
  return with_bias(as_signal(y), bias);
}

Tensor transpose_volume(const ConvNd& conv, const PerDirection& extra, const Tensor& x, const Tensor& weight,
                        const Tensor* bias) {
  const PerDirection sides = checked_sides(conv, extra, x, weight, bias);
  const Shape& shape = x.shape();
  const std::int64_t n = shape[0], places = shape[2], around = conv.padding[0];
  const DepthWindows windows =
      depth_windows(conv, weight.size(1) * conv.groups, sides[0] + 2 * around, places, weight.shape());
  const Tensor planes = reshaped(permuted(x, {0, 2, 1, 3, 4}), {n * places, shape[1], shape[3], shape[4]});
  const Tensor images =
      conv_transpose2d(planes, plane_weight(weight), transposed(plane_options(conv), of_plane(extra)));
  const Tensor volume = volumes_of(images, windows, n);
  const Tensor inside = sliced(volume, {.axis = 2, .start = around, .stop = around + sides[0]});
  return with_bias(inside, bias);
}

template <class Options>
ConvNd conv_of(OpId op, const Options& options) {
  return {op, options.stride, options.padding, options.dilation, options.groups};
}

}}  // namespace detail

using detail::OpId;

Tensor conv1d(const Tensor& x, const Tensor& weight, const Conv1dOptions& options) {
  return detail::conv_row(detail::conv_of(OpId::conv1d, options), x, weight, nullptr);
}
Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv1dOptions& options) {
  return detail::conv_row(detail::conv_of(OpId::conv1d, options), x, weight, &bias);
}

Tensor conv_transpose1d(const Tensor& x, const Tensor& weight, const ConvTranspose1dOptions& options) {
  return detail::transpose_row(detail::conv_of(OpId::conv_transpose1d, options), options.output_padding, x,
                               weight, nullptr);
}
Tensor conv_transpose1d(const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const ConvTranspose1dOptions& options) {
  return detail::transpose_row(detail::conv_of(OpId::conv_transpose1d, options), options.output_padding, x,
                               weight, &bias);
}

Tensor conv3d(const Tensor& x, const Tensor& weight, const Conv3dOptions& options) {
  return detail::conv_volume(detail::conv_of(OpId::conv3d, options), x, weight, nullptr);
}
Tensor conv3d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv3dOptions& options) {
  return detail::conv_volume(detail::conv_of(OpId::conv3d, options), x, weight, &bias);
}

Tensor conv_transpose3d(const Tensor& x, const Tensor& weight, const ConvTranspose3dOptions& options) {
  return detail::transpose_volume(detail::conv_of(OpId::conv_transpose3d, options), options.output_padding, x,
                                  weight, nullptr);
}
Tensor conv_transpose3d(const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const ConvTranspose3dOptions& options) {
  return detail::transpose_volume(detail::conv_of(OpId::conv_transpose3d, options), options.output_padding, x,
                                  weight, &bias);
}

}  // namespace xtgrad::v1
