#include "fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <utility>

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

[[noreturn]] void fail(const std::string& what, const training::Trainer& trainer, std::int64_t epoch) {
  throw std::runtime_error(fmt::format("{} in epoch {} at learning rate {}: try a smaller --lr", what, epoch,
                                       trainer.optimizer().lr()));
}

/// Ends a training whose loss has left all bounds: it is a number still, and learns nothing any more. The
/// trainer itself throws where a step's loss is none; the last step's weights show in the validation alone.
class LossCheck final : public training::Callback {
 public:
  void after_step(training::Trainer& trainer, const training::StepRecord& step) override {
    if (first_ < 0) first_ = std::max(step.loss, 1.0);
    check(trainer, "the loss", step.loss, most_of_step, step.epoch);
  }
  void after_epoch(training::Trainer& trainer, const training::EpochRecord& epoch) override {
    check(trainer, "the loss", epoch.at("loss"), most_of_epoch, epoch.epoch);
    check(trainer, "the validation loss", epoch.at("validation_loss"), most_of_epoch, epoch.epoch);
  }

 private:
  // Multiples of the first step's loss. A single batch may be far off; the mean over an epoch is not.
  static constexpr double most_of_step = 1e6;
  static constexpr double most_of_epoch = 1e3;

  void check(const training::Trainer& trainer, const char* what, double loss, double most,
             std::int64_t epoch) const {
    if (!std::isfinite(loss)) fail(fmt::format("{} became {}", what, loss), trainer, epoch);
    if (first_ > 0 && loss > most * first_) {
      fail(fmt::format("{} has exploded: it was {:.4g} at first and is {:.4g}", what, first_, loss), trainer,
           epoch);
    }
  }

  double first_ = -1;  // at least 1: a loss that begins at 0 may rise
};

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
      .callbacks = {std::make_shared<training::InterruptCheck>(), std::make_shared<LossCheck>()}};
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

void fit(training::Trainer& trainer, Checkpoint& checkpoint, bool resumed, const Farewells& farewells) {
  // Where there is nothing to save nothing is waited for, and else not for long, however long a step takes.
  std::optional<training::InterruptAtOnce> at_once;
  std::optional<training::InterruptSoon> soon;
  if (checkpoint.every() == 0) {
    at_once.emplace(farewells.nothing_saved);
  } else {
    soon.emplace(resumed ? farewells.checkpoint_saved : farewells.nothing_saved);
    checkpoint.on_save([&soon, &farewells, first = !resumed]() mutable {
      if (std::exchange(first, false)) soon->set_farewell(farewells.checkpoint_saved);
    });
  }
  try {
    trainer.fit();
  } catch (training::Interrupted& interrupted) {
    if (checkpoint.every() > 0) {
      checkpoint.save(trainer);
      interrupted.checkpoint = checkpoint.file().string();
    }
    throw;
  } catch (const xtgrad::NonFiniteError&) {
    fail(fmt::format("the loss became {}", trainer.last_loss()), trainer, trainer.epoch() + 1);
  }
}

}  // namespace train
