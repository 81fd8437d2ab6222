#pragma once

#include <array>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/datasets/sample_transform.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace datasets {

struct RandomRotationOptions {
  std::array<double, 2> degrees = {0, 0};  ///< from and to, counter-clockwise; required
  std::vector<double> fill = {0};          ///< what is beyond the edges: one a channel, or one for all
};
/// Turns an image [c, h, w] about its middle by an angle uniform in `degrees`, counter-clockwise as it is
/// looked at, with row 0 on top. Bilinear; size and proportions stay, so corners are cut off, and `fill`
/// comes in. One draw. Samples are float32, float64 or uint8, which is rounded; others throw DtypeError.
/// Throws ValueError for numbers that are not finite, and degrees that fall or are both 0; samples throw
/// ShapeError for another rank or number of channels.
[[nodiscard]] SampleTransform random_rotation(const RandomRotationOptions& options);

}}}  // namespace xtgrad::v1::datasets
