#pragma once

#include <cstdint>

#include "model.h"
#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/datasets/dataset.h"

namespace train {

/// Order of the derivatives up to which `check_gradients` goes.
inline constexpr int checked_order = 2;

/// As many as there are, at most `count`.
[[nodiscard]] xtgrad::datasets::Dataset first_samples(const xtgrad::datasets::Dataset& data,
                                                      std::int64_t count);

/// Checks the derivatives of the training loss, of first and second order, in the samples and in every
/// parameter, against numerical ones on a few samples, in float64. Throws xtgrad::GradientError unless they
/// agree.
xtgrad::CheckGradsReport check_gradients(const Classifier& classifier, const xtgrad::datasets::Dataset& data);

/// The loss of a first training step, with the graph behind it, names and all. Leaves the classifier as it
/// is.
[[nodiscard]] xtgrad::Tensor first_loss(const Classifier& classifier, const xtgrad::datasets::Dataset& data,
                                        std::int64_t batch_size);

}  // namespace train
