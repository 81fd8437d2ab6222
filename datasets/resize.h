#pragma once

#include <array>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/size2d.h"
#include "xtgrad/datasets/sample_transform.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace datasets {

// Transforms of images [c, h, w] to another size, bilinearly: pixel i of a line of n lies at (i + 1/2) / n of
// the line's length (PyTorch's align_corners = false), and a pixel of the result is the mean of those about
// it by a tent-shaped weight. Samples are float32, float64 or uint8, which is rounded to the nearest; others
// throw DtypeError. An image without pixels throws ShapeError.

struct ResizeOptions {
  Size2d size = 0;  ///< of the result; required
  /// Where images become smaller, the tent is as wide as a pixel of the result, so that every pixel counts.
  /// Otherwise the nearest two in each direction count alone, and fine patterns leave false ones.
  bool antialias = true;
  /// Takes the largest window in the middle that has the result's proportions, in place of the whole image,
  /// whose proportions may change.
  bool crop = false;
};
/// [c, h, w] to [c, size]. No draw. Throws ValueError for a size below 1.
[[nodiscard]] SampleTransform resize(const ResizeOptions& options);

struct RandomResizedCropOptions {
  Size2d size = 0;                                   ///< of the result; required
  std::array<double, 2> scale = {0.08, 1};           ///< area of the window, as a part of the image's
  std::array<double, 2> ratio = {3.0 / 4, 4.0 / 3};  ///< width of the window to its height
  bool antialias = true;
};
/// A window at random, resized to [c, size]: its area is uniform in `scale`, the logarithm of its ratio in
/// that of `ratio`, its corner where it fits. After ten windows that do not fit, the largest in the middle
/// whose ratio is within bounds. Draws area, ratio, and for a window that fits top and left. Throws
/// ValueError for ranges that are not positive or fall, for a scale above 1, and a size below 1.
[[nodiscard]] SampleTransform random_resized_crop(const RandomResizedCropOptions& options);

}}}  // namespace xtgrad::v1::datasets
