#include "fit.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "augmentation.h"
#include "schedule.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/datasets/loader.h"
#include "xtgrad/training/accuracy.h"
#include "xtgrad/training/divergence_check.h"
#include "xtgrad/training/interrupt.h"
#include "xtgrad/training/progress.h"

namespace train {

using xtgrad::Tensor;
namespace datasets = xtgrad::datasets;
namespace training = xtgrad::training;

namespace {

// All at once, the feature maps of 5,000 images would take a quarter of a gigabyte.
constexpr std::int64_t validation_batch = 500;

constexpr const char* advice = "try a smaller --lr";

/// What DivergenceCheck says, without its name, to who knows the program's options alone.
[[noreturn]] void fail(const xtgrad::Error& error) {
  std::string_view what = error.what();
  constexpr std::string_view own_name = "DivergenceCheck: ";
  if (what.starts_with(own_name)) what.remove_prefix(own_name.size());
  throw std::runtime_error(fmt::format("{}: {}", what, advice));
}

datasets::LoaderOptions loader_options(const Options& options, const datasets::Dataset& data) {
  datasets::LoaderOptions result{
      .batch_size = options.batch_size, .shuffle = true, .seed = options.seed, .workers = options.workers};
  if (options.augment)
    result.sample_transform = augmentation_for(options.data, data.sample_shape()).transform;
  return result;
}

}  // namespace

Fitting make_fitting(Classifier& classifier, const Splits& data, const Options& options,
                     const std::shared_ptr<training::Checkpoints>& checkpoints) {
  const datasets::Loader loader(data.train, loader_options(options, data.train));
  training::TrainerOptions choices{
      .epochs = options.epochs,
      .schedule = make_schedule(
          {.name = options.schedule, .warmup = options.warmup, .steps = options.epochs * loader.batches()}),
      .replay = options.replay,
      .validation = datasets::Loader(data.validation, {.batch_size = validation_batch}),
      .metrics = {std::make_shared<training::Accuracy>()},
      .callbacks = {std::make_shared<training::InterruptCheck>(),
                    std::make_shared<training::DivergenceCheck>()}};
  if (!options.quiet) choices.callbacks.push_back(std::make_shared<training::Progress>());
  if (checkpoints != nullptr) choices.callbacks.push_back(checkpoints);
  const auto loss = [&classifier](const Tensor& scores, const Tensor& labels) {
    return classifier.loss(scores, labels);
  };
  Fitting fitting{.optimizer = make_optimizer(options.optimizer, options.lr, classifier), .trainer = nullptr};
  fitting.trainer =
      std::make_unique<training::Trainer>(classifier, loss, *fitting.optimizer, loader, choices);
  return fitting;
}

void fit(training::Trainer& trainer, training::Checkpoints* checkpoints, bool resumed,
         const Farewells& farewells) {
  // Where there is nothing to save nothing is waited for, and else not for long, however long a step takes.
  std::optional<training::InterruptAtOnce> at_once;
  std::optional<training::InterruptSoon> soon;
  if (checkpoints == nullptr) {
    at_once.emplace(farewells.nothing_saved);
  } else {
    soon.emplace(resumed ? farewells.checkpoint_saved : farewells.nothing_saved);
    checkpoints->on_save([&soon, &farewells, first = !resumed](const std::string&) mutable {
      if (std::exchange(first, false)) soon->set_farewell(farewells.checkpoint_saved);
    });
  }
  try {
    trainer.fit();
  } catch (training::Interrupted& interrupted) {
    if (checkpoints != nullptr) {
      checkpoints->save(trainer);
      interrupted.checkpoint = checkpoints->newest();
    }
    throw;
  } catch (const xtgrad::NonFiniteError& error) {
    if (std::isfinite(trainer.last_loss())) fail(error);  // it is the validation's that is none
    throw std::runtime_error(fmt::format("the loss became {} in epoch {} at learning rate {}: {}",
                                         trainer.last_loss(), trainer.epoch() + 1, trainer.optimizer().lr(),
                                         advice));
  } catch (const xtgrad::ConvergenceError& error) {
    fail(error);
  }
}

}  // namespace train
