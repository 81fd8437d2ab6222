#pragma once

#include <string>

#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// What stands between elements. PyTorch calls linear and cubic after the dimensions of an image; both names
/// are one.
enum class Interpolation {
  nearest,        ///< the element whose index is the place, rounded down
  nearest_exact,  ///< the element whose middle is nearest
  linear,         ///< a straight line, in each direction
  bilinear = linear,
  trilinear = linear,
  cubic,  ///< Keys' cubic convolution with a = -3/4
  bicubic = cubic,
  area,  ///< the mean of the elements that a window meets, as in adaptive_avg_pool2d
};
/// "nearest", "linear".
[[nodiscard]] std::string to_string(Interpolation mode);

/// What is found outside of an image.
enum class GridPadding {
  zeros,
  border,      ///< the nearest pixel of the image
  reflection,  ///< the image's mirror images, about its edges or, if corners are aligned, outermost pixels
};

}}  // namespace xtgrad::v1
