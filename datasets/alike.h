#pragma once

#include <cstddef>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/datasets/loader.h"
#include "xtgrad/datasets/sample_transform.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace datasets {

/// Transforms the tensors of a sample at `places` with the same draws: an image [c, h, w] and its mask [1, h,
/// w] are cropped, turned and mirrored alike. Channels and dtypes may differ, sizes may not, nor may a step
/// draw for each element, as noise does. What is for the first tensor alone, such as `normalize`, is the
/// loader's `sample_transform`, which comes later. Throws ValueError for no places; the loop throws it for a
/// place that a sample has not.
///
///   const datasets::Augment both({datasets::random_crop({.size = 32, .padding = 4}),
///                                 datasets::random_flip()});
///   datasets::Loader loader(pairs, {.whole_sample_transform = datasets::alike(both, {0, 1})});
[[nodiscard]] WholeSampleTransform alike(SampleTransform transform, std::vector<std::size_t> places);

/// One transformed sample, [...] to [output_shape...], without a graph; draws from `random`, a copy of which
/// gives another tensor the same draws. For a `WholeSampleTransform` of one's own. Throws ValueError for an
/// empty handle, and what the transform throws.
[[nodiscard]] Tensor transform_sample(const Tensor& sample, const SampleTransform& transform, Random& random);

}}}  // namespace xtgrad::v1::datasets
