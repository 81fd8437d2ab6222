#pragma once

#include "xtgrad/autograd/export.h"
#include "xtgrad/datasets/sample_transform.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace datasets {

struct GaussianNoiseOptions {
  double mean = 0;
  double sigma = 0.1;  ///< standard deviation, at least 0
  bool clip = true;    ///< to [0, 1], for images that are not normalised yet
};
/// Adds a normal number of its own to each element of a sample of any shape, float32 or float64. A draw for
/// each element. Throws ValueError for numbers out of range; samples throw DtypeError for another dtype.
[[nodiscard]] SampleTransform gaussian_noise(const GaussianNoiseOptions& options = {});

}}}  // namespace xtgrad::v1::datasets
