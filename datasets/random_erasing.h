#pragma once

#include <array>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/datasets/sample_transform.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace datasets {

struct RandomErasingOptions {
  double p = 0.5;                              ///< probability that something is erased
  std::array<double, 2> scale = {0.02, 0.33};  ///< area of the rectangle, as a part of the image's
  std::array<double, 2> ratio = {0.3, 3.3};    ///< height of the rectangle to its width
  std::vector<double> value = {0};             ///< in its place: one a channel, or one for all
  bool noise = false;                          ///< standard normal numbers in its place, and no `value`
};
/// Covers a rectangle of an image [c, h, w] with probability p: its area is uniform in `scale`, the logarithm
/// of its ratio in that of `ratio`, its corner where it fits. After ten rectangles that are not smaller than
/// the image in both directions, nothing. Draws whether, area, ratio, for a rectangle that fits top and left,
/// then the noise. Samples are float32, float64 or uint8, which is rounded (without noise); others throw
/// DtypeError. Throws ValueError for p outside [0, 1], ranges that are not positive or fall, a scale above 1,
/// values that are not finite; samples throw ShapeError for another rank or number of channels.
///
/// Put it behind `normalize`: 0 is then the mean.
[[nodiscard]] SampleTransform random_erasing(const RandomErasingOptions& options = {});

}}}  // namespace xtgrad::v1::datasets
