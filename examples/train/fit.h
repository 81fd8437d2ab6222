#pragma once

#include <memory>
#include <string>

#include "checkpoint.h"
#include "data.h"
#include "model.h"
#include "options.h"
#include "xtgrad/optim/optimizer.h"
#include "xtgrad/training/trainer.h"

namespace train {

/// What the options ask for: a classifier's optimizer, and the trainer that moves it.
struct Fitting {
  std::unique_ptr<xtgrad::optim::Optimizer> optimizer;
  std::unique_ptr<xtgrad::training::Trainer> trainer;
};

/// Learns from `data.train` and looks at `data.validation` after every epoch; the classifier outlives it.
/// Throws std::invalid_argument for options that make no training.
[[nodiscard]] Fitting make_fitting(Classifier& classifier, const Splits& data, const Options& options,
                                   const std::shared_ptr<Checkpoint>& checkpoint);

/// Trains to the end. A run that is interrupted leaves a checkpoint if it writes any, and throws
/// xtgrad::training::Interrupted; one that writes none ends at once, with `farewell` on stderr. Throws
/// std::runtime_error if the loss stops being a number, or grows beyond all measure.
void fit(xtgrad::training::Trainer& trainer, const Checkpoint& checkpoint, const std::string& farewell);

}  // namespace train
