#pragma once

#include <string>

#include "xtgrad/autograd/shape.h"
#include "xtgrad/datasets/sample_transform.h"

namespace train {

/// What is done to a training image, anew in every epoch, so that the network does not learn it by heart.
struct Augmentation {
  xtgrad::datasets::SampleTransform transform = {};
  std::string description = "none";
};

/// Changes that leave a picture of the data set what it is: letters and digits are not mirrored, for
/// instance. None for what is no image.
[[nodiscard]] Augmentation augmentation_for(const std::string& data, const xtgrad::Shape& sample);

}  // namespace train
