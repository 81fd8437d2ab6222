#include "augmented_training.h"

#include <chrono>

#include "xtgrad/autograd/random.h"
#include "xtgrad/datasets/split.h"
#include "xtgrad/nn/losses.h"
#include "xtgrad/optim/adam.h"
#include "xtgrad/optim/schedules.h"
#include "xtgrad/training/training.h"

namespace gallery {

ConvNetTraining train(const ConvNetRecipe& recipe, const datasets::Dataset& data, std::uint64_t seed) {
  manual_seed(seed);
  const auto [train, validation] = datasets::stratified_split(data, {.test = 1.0 / 12, .seed = seed});
  const datasets::Loader loader(train, {.batch_size = recipe.batch_size,
                                        .shuffle = true,
                                        .seed = seed,
                                        .sample_transform = recipe.augment,
                                        .workers = 1});
  auto model = std::make_shared<nn::ConvNet>(recipe.net);
  optim::AdamW adam(model->parameters(), {.lr = recipe.lr, .weight_decay = recipe.weight_decay});
  const std::int64_t steps = recipe.epochs * loader.batches();
  auto early = std::make_shared<training::EarlyStopping>(
      *model, training::EarlyStoppingOptions{.patience = recipe.epochs / 3});
  training::Trainer trainer(
      *model, training::Loss(nn::cross_entropy, {.label_smoothing = recipe.label_smoothing}), adam, loader,
      {.epochs = recipe.epochs,
       .schedule = optim::warmup({.steps = steps / 10}, optim::cosine({.steps = steps - steps / 10})),
       .validation = datasets::Loader(validation, {.batch_size = 500}),
       .metrics = {std::make_shared<training::Accuracy>()},
       .stop = {early},
       .callbacks = {std::make_shared<training::Progress>()}});
  const auto start = std::chrono::steady_clock::now();
  trainer.fit();
  ConvNetTraining result;
  result.model = model;
  result.best_epoch = early->best_epoch();
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  for (const training::EpochRecord& epoch : trainer.records()) {
    result.epochs.push_back({.epoch = epoch.epoch,
                             .loss = epoch.at("loss"),
                             .accuracy = epoch.at("accuracy"),
                             .validation_loss = epoch.at("validation_loss"),
                             .validation_accuracy = epoch.at("validation_accuracy")});
  }
  return result;
}

}  // namespace gallery
