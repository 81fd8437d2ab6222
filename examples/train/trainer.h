#pragma once

#include <vector>

#include "data.h"
#include "model.h"
#include "options.h"
#include "progress.h"
#include "xtgrad/autograd/check_grads.h"

namespace train {

/// Mean loss of some samples, and the fraction of them that get the right class.
struct Score {
  double loss = 0;
  double accuracy = 0;
};

/// How well the classifier does on samples, as it would in use: without dropout. Records nothing.
[[nodiscard]] Score evaluate(Classifier& classifier, const xtgrad::datasets::Dataset& data);

/// Trains on `data.train`, and looks at `data.validation` after every epoch. Throws std::runtime_error if the
/// loss stops being a number, and Interrupted.
std::vector<EpochRecord> fit(Classifier& classifier, const Splits& data, const Options& options,
                             Progress& progress);

/// Order of the derivatives up to which `check_gradients` goes.
inline constexpr int checked_order = 2;

/// Checks the derivatives of the training loss, of first and second order, in the samples and in every
/// parameter, against numerical ones on a few samples, in float64. Throws xtgrad::GradientError unless they
/// agree.
xtgrad::CheckGradsReport check_gradients(const Classifier& classifier, const xtgrad::datasets::Dataset& data);

/// The loss of a first training step, with the graph behind it, names and all. Leaves the classifier as it
/// is.
[[nodiscard]] xtgrad::Tensor first_loss(const Classifier& classifier, const xtgrad::datasets::Dataset& data,
                                        std::int64_t batch_size);

}  // namespace train
