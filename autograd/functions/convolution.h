// Convolution of signals, images and volumes, and windows as columns.
#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/size2d.h"
#include "xtgrad/autograd/size3d.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

// Images: [n, channels, height, width]. In one direction a window of `kernel` elements, `dilation` apart, on
// a side of `size` elements with `padding` more at both ends has
//   floor((size + 2 padding - dilation (kernel - 1) - 1) / stride) + 1
// places. Padding is zeros that take part like other numbers, however far from the image: an infinite weight
// that meets them gives NaN. A pixel's gradient is a sum over the windows that it is in, and of nothing else.
// Throws ShapeError where a window does not fit even once, and, but for convolution, for an image without
// rows or columns; ValueError for options out of range.

struct Conv2dOptions {
  Size2d stride = 1;
  Size2d padding = 0;  ///< zeros at both ends of a side
  Size2d dilation = 1;
  std::int64_t groups = 1;  ///< output channels of group i see the input channels of group i alone
};
/// Cross-correlation of x [n, in, h, w] with weight [out, in / groups, kh, kw]: [n, out, h', w'].
[[nodiscard]] Tensor conv2d(const Tensor& x, const Tensor& weight, const Conv2dOptions& options = {});
/// As above, with bias [out] added to each output channel.
[[nodiscard]] Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias,
                            const Conv2dOptions& options = {});

struct ConvTranspose2dOptions {
  Size2d stride = 1;
  Size2d padding = 0;
  Size2d output_padding = 0;  ///< extra rows and columns at the end; less than the stride
  Size2d dilation = 1;
  std::int64_t groups = 1;
};
/// The adjoint of conv2d in x: for x [n, out, h', w'] and conv2d's weight [out, in / groups, kh, kw] gives
/// [n, in, h, w] with h = (h' - 1) stride - 2 padding + dilation (kh - 1) + output_padding + 1. Sides of 0
/// are an empty result; throws ShapeError where one would be negative, and for an x without rows or columns.
[[nodiscard]] Tensor conv_transpose2d(const Tensor& x, const Tensor& weight,
                                      const ConvTranspose2dOptions& options = {});
/// The adjoint of conv2d in weight: for conv2d's x [n, in, h, w] and a cotangent g [n, out, h', w'] of its
/// output gives [out, in / groups, kh, kw], where `kernel` is kh x kw.
[[nodiscard]] Tensor conv2d_weight_grad(const Tensor& x, const Tensor& g, const Size2d& kernel,
                                        const Conv2dOptions& options = {});

// Signals [n, channels, length] and volumes [n, channels, depth, height, width]: the same in one direction
// and in three.

struct Conv1dOptions {
  std::int64_t stride = 1;
  std::int64_t padding = 0;  ///< zeros at both ends
  std::int64_t dilation = 1;
  std::int64_t groups = 1;
};
/// Cross-correlation of x [n, in, l] with weight [out, in / groups, k]: [n, out, l'].
[[nodiscard]] Tensor conv1d(const Tensor& x, const Tensor& weight, const Conv1dOptions& options = {});
/// As above, with bias [out] added to each output channel.
[[nodiscard]] Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias,
                            const Conv1dOptions& options = {});

struct ConvTranspose1dOptions {
  std::int64_t stride = 1;
  std::int64_t padding = 0;
  std::int64_t output_padding = 0;  ///< extra elements at the end; less than the stride
  std::int64_t dilation = 1;
  std::int64_t groups = 1;
};
/// The adjoint of conv1d in x: for x [n, out, l'] and conv1d's weight [out, in / groups, k] gives
/// [n, in, l], with sizes as conv_transpose2d's.
[[nodiscard]] Tensor conv_transpose1d(const Tensor& x, const Tensor& weight,
                                      const ConvTranspose1dOptions& options = {});
/// As above, with bias [in] added to each channel of the result.
[[nodiscard]] Tensor conv_transpose1d(const Tensor& x, const Tensor& weight, const Tensor& bias,
                                      const ConvTranspose1dOptions& options = {});

struct Conv3dOptions {
  Size3d stride = 1;
  Size3d padding = 0;  ///< zeros at both ends of a side
  Size3d dilation = 1;
  std::int64_t groups = 1;
};
/// Cross-correlation of x [n, in, d, h, w] with weight [out, in / groups, kd, kh, kw]: [n, out, d', h', w'].
[[nodiscard]] Tensor conv3d(const Tensor& x, const Tensor& weight, const Conv3dOptions& options = {});
/// As above, with bias [out] added to each output channel.
[[nodiscard]] Tensor conv3d(const Tensor& x, const Tensor& weight, const Tensor& bias,
                            const Conv3dOptions& options = {});

struct ConvTranspose3dOptions {
  Size3d stride = 1;
  Size3d padding = 0;
  Size3d output_padding = 0;  ///< extra planes, rows and columns at the end; less than the stride
  Size3d dilation = 1;
  std::int64_t groups = 1;
};
/// The adjoint of conv3d in x: for x [n, out, d', h', w'] and conv3d's weight [out, in / groups, kd, kh, kw]
/// gives [n, in, d, h, w], with sizes as conv_transpose2d's.
[[nodiscard]] Tensor conv_transpose3d(const Tensor& x, const Tensor& weight,
                                      const ConvTranspose3dOptions& options = {});
/// As above, with bias [in] added to each channel of the result.
[[nodiscard]] Tensor conv_transpose3d(const Tensor& x, const Tensor& weight, const Tensor& bias,
                                      const ConvTranspose3dOptions& options = {});

struct Unfold2dOptions {
  Size2d kernel = 0;  ///< required
  Size2d stride = 1;
  Size2d padding = 0;
  Size2d dilation = 1;
};
/// Every window as a column: [n, c, h, w] to [n, c * kh * kw, places], places counted row by row.
[[nodiscard]] Tensor unfold2d(const Tensor& x, const Unfold2dOptions& options);
/// The adjoint of unfold2d: adds up columns [n, c * kh * kw, places] in an image [n, c, height, width].
[[nodiscard]] Tensor fold2d(const Tensor& unfolded, const Size2d& output, const Unfold2dOptions& options);

}}  // namespace xtgrad::v1
