// Pooling of images.
#pragma once

#include <cstdint>
#include <optional>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/size2d.h"
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

}}  // namespace xtgrad::v1
