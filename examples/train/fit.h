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

/// What is said on stderr where a signal ends the training.
struct Farewells {
  std::string nothing_saved;
  std::string checkpoint_saved;
};

/// Trains to the end. A run that is interrupted ends at once if it writes no checkpoints. One that does
/// leaves one, and throws xtgrad::training::Interrupted, if its step ends within a second; else it ends, and
/// leaves the last. `resumed`: from the checkpoint's file. Throws std::runtime_error if the loss stops being
/// a number, or grows beyond all measure.
void fit(xtgrad::training::Trainer& trainer, Checkpoint& checkpoint, bool resumed,
         const Farewells& farewells);

}  // namespace train
