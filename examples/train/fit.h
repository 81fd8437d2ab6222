#pragma once

#include <memory>
#include <string>

#include "data.h"
#include "model.h"
#include "options.h"
#include "xtgrad/optim/optimizer.h"
#include "xtgrad/training/checkpoints.h"
#include "xtgrad/training/trainer.h"

namespace train {

/// What the options ask for: a classifier's optimizer, and the trainer that moves it.
struct Fitting {
  std::unique_ptr<xtgrad::optim::Optimizer> optimizer;
  std::unique_ptr<xtgrad::training::Trainer> trainer;
};

/// Learns from `data.train` and looks at `data.validation` after every epoch; the classifier outlives it.
/// `checkpoints` may be null.
/// Throws std::invalid_argument for options that make no training.
[[nodiscard]] Fitting make_fitting(Classifier& classifier, const Splits& data, const Options& options,
                                   const std::shared_ptr<xtgrad::training::Checkpoints>& checkpoints);

/// What is said on stderr where a signal ends the training.
struct Farewells {
  std::string nothing_saved;
  std::string checkpoint_saved;
};

/// Trains to the end. `checkpoints` are those of the trainer, null if it writes none: a run that is
/// interrupted then ends at once. One that writes some leaves one, and throws xtgrad::training::Interrupted,
/// if its step ends within a second; else it ends, and leaves the last. `resumed`: there is one already.
/// Throws std::runtime_error if the loss stops being a number, or grows beyond all measure.
void fit(xtgrad::training::Trainer& trainer, xtgrad::training::Checkpoints* checkpoints, bool resumed,
         const Farewells& farewells);

}  // namespace train
