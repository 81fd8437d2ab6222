// Pooling of signals, images and volumes.
#pragma once

#include <cstdint>
#include <optional>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/size2d.h"
#include "xtgrad/autograd/size3d.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

// Images and windows as in convolution.h.

struct MaxPool2dOptions {
  Size2d kernel = 0;                            ///< required
  std::optional<Size2d> stride = std::nullopt;  ///< the kernel's size if absent
  Size2d padding = 0;                           ///< at most half the kernel; never the largest element
  Size2d dilation = 1;
  bool ceil_mode = false;  ///< a last window may hang over the edge, if it starts inside
};
/// Largest element of each window; the gradient goes to the first one in scan order; NaN wins. A window on
/// padding alone, which dilation makes possible, gives -inf without a gradient.
[[nodiscard]] Tensor max_pool2d(const Tensor& x, const MaxPool2dOptions& options);
/// Where max_pool2d finds the largest elements: their positions in their plane, counted row by row, in the
/// shape of its result. -1 for a window on padding alone. int32 where a plane has at most 2^31 - 1 elements,
/// else int64.
[[nodiscard]] Tensor max_pool2d_places(const Tensor& x, const MaxPool2dOptions& options);
/// The elements of u [n, c, h, w] at the places [n, c, h', w'] in their plane, as max_pool2d_places gives
/// them; 0 for -1. With the places of x it is max_pool2d's derivative at x, applied to u. Linear in u. Throws
/// ValueError for a place that is not in the plane.
[[nodiscard]] Tensor max_pool2d_take(const Tensor& u, const Tensor& places);
/// The adjoint of max_pool2d_take in u: adds up g, of the places' shape, at the places in an image [n, c,
/// height, width].
[[nodiscard]] Tensor max_pool2d_put(const Tensor& g, const Tensor& places, const Size2d& image);

struct AvgPool2dOptions {
  Size2d kernel = 0;                            ///< required
  std::optional<Size2d> stride = std::nullopt;  ///< the kernel's size if absent
  Size2d padding = 0;                           ///< at most half the kernel
  bool ceil_mode = false;
  bool count_include_pad = true;  ///< divide by the window's size, padding included
  std::optional<std::int64_t> divisor_override = std::nullopt;  ///< divide by this instead
};
/// Mean of each window.
[[nodiscard]] Tensor avg_pool2d(const Tensor& x, const AvgPool2dOptions& options);
/// The adjoint of avg_pool2d: spreads each mean's g evenly over its window, in an image [n, c, height,
/// width].
[[nodiscard]] Tensor avg_pool2d_spread(const Tensor& g, const Size2d& image, const AvgPool2dOptions& options);

struct MaxUnpool2dOptions {
  Size2d kernel = 0;                            ///< required
  std::optional<Size2d> stride = std::nullopt;  ///< the kernel's size if absent
  Size2d padding = 0;
  std::optional<Size2d> output = std::nullopt;  ///< (h' - 1) stride - 2 padding + kernel if absent
};
/// The elements of x [n, c, h', w'] at their places in an image [n, c, h, w] that is 0 elsewhere: undoes
/// max_pool2d where `places` are max_pool2d_places of the same options. Where several have one place the
/// last, in scan order, stays, and has the gradient. An output must be less than a stride from the size that
/// it has if absent. Throws ValueError for a place that is not in the image.
[[nodiscard]] Tensor max_unpool2d(const Tensor& x, const Tensor& places, const MaxUnpool2dOptions& options);

// Signals [n, channels, length] and volumes [n, channels, depth, height, width]: the same in one direction
// and in three.

struct MaxPool1dOptions {
  std::int64_t kernel = 0;                            ///< required
  std::optional<std::int64_t> stride = std::nullopt;  ///< the kernel's size if absent
  std::int64_t padding = 0;                           ///< at most half the kernel; never the largest element
  std::int64_t dilation = 1;
  bool ceil_mode = false;  ///< a last window may hang over the end, if it starts inside
};
/// Largest element of each window of a signal, as max_pool2d.
[[nodiscard]] Tensor max_pool1d(const Tensor& x, const MaxPool1dOptions& options);

struct MaxPool3dOptions {
  Size3d kernel = 0;                            ///< required
  std::optional<Size3d> stride = std::nullopt;  ///< the kernel's size if absent
  Size3d padding = 0;                           ///< at most half the kernel; never the largest element
  Size3d dilation = 1;
  bool ceil_mode = false;  ///< a last window may hang over the edge, if it starts inside
};
/// Largest element of each window of a volume, as max_pool2d.
[[nodiscard]] Tensor max_pool3d(const Tensor& x, const MaxPool3dOptions& options);

struct AvgPool1dOptions {
  std::int64_t kernel = 0;                            ///< required
  std::optional<std::int64_t> stride = std::nullopt;  ///< the kernel's size if absent
  std::int64_t padding = 0;                           ///< at most half the kernel
  bool ceil_mode = false;
  bool count_include_pad = true;  ///< divide by the window's size, padding included
};
/// Mean of each window of a signal.
[[nodiscard]] Tensor avg_pool1d(const Tensor& x, const AvgPool1dOptions& options);

struct AvgPool3dOptions {
  Size3d kernel = 0;                            ///< required
  std::optional<Size3d> stride = std::nullopt;  ///< the kernel's size if absent
  Size3d padding = 0;                           ///< at most half the kernel
  bool ceil_mode = false;
  bool count_include_pad = true;  ///< divide by the window's size, padding included
  std::optional<std::int64_t> divisor_override = std::nullopt;  ///< divide by this instead
};
/// Mean of each window of a volume.
[[nodiscard]] Tensor avg_pool3d(const Tensor& x, const AvgPool3dOptions& options);

struct LPPool1dOptions {
  double p = 2;                                       ///< above 0, and finite
  std::int64_t kernel = 0;                            ///< required
  std::optional<std::int64_t> stride = std::nullopt;  ///< the kernel's size if absent
  bool ceil_mode =
      false;  ///< a last window may hang over the end; it counts as a whole one of its mean power
};
/// s^(1 / p), s the sum of x^p over each window of a signal. Where s is 0 the slope is 0, but for p = 1. An
/// odd p keeps signs: of a negative s it is -|s|^(1 / p).
[[nodiscard]] Tensor lp_pool1d(const Tensor& x, const LPPool1dOptions& options);

struct LPPool2dOptions {
  double p = 2;                                 ///< above 0, and finite
  Size2d kernel = 0;                            ///< required
  std::optional<Size2d> stride = std::nullopt;  ///< the kernel's size if absent
  bool ceil_mode =
      false;  ///< a last window may hang over the edge; it counts as a whole one of its mean power
};
/// s^(1 / p), s the sum of x^p over each window of an image, as lp_pool1d.
[[nodiscard]] Tensor lp_pool2d(const Tensor& x, const LPPool2dOptions& options);

// Adaptive pooling: windows that share a side evenly, whatever its size. Window i of O on a side of h
// elements has those from floor(i h / O) up to, not including, ceil((i + 1) h / O), so neighbours overlap
// where O does not divide h. Throws ValueError for an output below 1, ShapeError for a side without elements.

/// Mean of each of `output` windows of a signal: [n, c, l] to [n, c, output].
[[nodiscard]] Tensor adaptive_avg_pool1d(const Tensor& x, std::int64_t output);
/// Mean of each of output.height x output.width windows of an image: [n, c, h, w] to [n, c, h', w'].
[[nodiscard]] Tensor adaptive_avg_pool2d(const Tensor& x, const Size2d& output);
/// Mean of each of the windows of a volume: [n, c, d, h, w] to [n, c, d', h', w'].
[[nodiscard]] Tensor adaptive_avg_pool3d(const Tensor& x, const Size3d& output);
/// Largest element of each of `output` windows of a signal; ties and NaN as in max_pool2d.
[[nodiscard]] Tensor adaptive_max_pool1d(const Tensor& x, std::int64_t output);
/// Largest element of each of output.height x output.width windows of an image.
[[nodiscard]] Tensor adaptive_max_pool2d(const Tensor& x, const Size2d& output);
/// Largest element of each of the windows of a volume.
[[nodiscard]] Tensor adaptive_max_pool3d(const Tensor& x, const Size3d& output);

}}  // namespace xtgrad::v1
