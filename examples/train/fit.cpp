#include "fit.h"

#include <fmt/format.h>

#include <stdexcept>

#include "augmentation.h"
#include "schedule.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/datasets/loader.h"
#include "xtgrad/training/accuracy.h"
#include "xtgrad/training/interrupt.h"
#include "xtgrad/training/progress.h"

namespace train {

using xtgrad::Tensor;
namespace datasets = xtgrad::datasets;
namespace training = xtgrad::training;

namespace {

// All at once, the feature maps of 5,000 images would take a quarter of a gigabyte.
constexpr std::int64_t validation_batch = 500;

datasets::LoaderOptions loader_options(const Options& options, const datasets::Dataset& data) {
  datasets::LoaderOptions result{
      .batch_size = options.batch_size, .shuffle = true, .seed = options.seed, .workers = options.workers};
  if (options.augment)
    result.sample_transform = augmentation_for(options.data, data.sample_shape()).transform;
  return result;
}

}  // namespace

Fitting make_fitting(Classifier& classifier, const Splits& data, const Options& options,
                     const std::shared_ptr<Checkpoint>& checkpoint) {
  const datasets::Loader loader(data.train, loader_options(options, data.train));
  training::TrainerOptions choices{
      .epochs = options.epochs,
      .schedule = make_schedule(
          {.name = options.schedule, .warmup = options.warmup, .steps = options.epochs * loader.batches()}),
      .validation = datasets::Loader(data.validation, {.batch_size = validation_batch}),
      .metrics = {std::make_shared<training::Accuracy>()},
      .callbacks = {std::make_shared<training::InterruptCheck>()}};
  if (!options.quiet) choices.callbacks.push_back(std::make_shared<training::Progress>());
  choices.callbacks.push_back(checkpoint);
  const auto loss = [&classifier](const Tensor& scores, const Tensor& labels) {
    return classifier.loss(scores, labels);
  };
  Fitting fitting{.optimizer = make_optimizer(options.optimizer, options.lr, classifier), .trainer = nullptr};
  fitting.trainer =
      std::make_unique<training::Trainer>(classifier, loss, *fitting.optimizer, loader, choices);
  return fitting;
}

void fit(training::Trainer& trainer, const Checkpoint& checkpoint) {
  try {
    trainer.fit();
  } catch (training::Interrupted& interrupted) {
    if (checkpoint.every() > 0) {
      checkpoint.save(trainer);
      interrupted.checkpoint = checkpoint.file().string();
    }
    throw;
  } catch (const xtgrad::NonFiniteError&) {
    throw std::runtime_error(
        fmt::format("the loss became {} in epoch {} at learning rate {}: try a smaller --lr",
                    trainer.last_loss(), trainer.epoch() + 1, trainer.optimizer().lr()));
  }
}

}  // namespace train
