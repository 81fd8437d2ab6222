// Trainings whose samples are chosen by a sampler, and made by a source.
#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "tests/training/small_run.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/datasets/combine.h"
#include "xtgrad/datasets/gaussian_noise.h"
#include "xtgrad/datasets/mixup.h"
#include "xtgrad/datasets/samplers.h"
#include "xtgrad/datasets/source.h"
#include "xtgrad/training/early_stopping.h"

using namespace xtgrad;
using training_test::SmallRun;
using training_test::StopAfter;

namespace {

/// A training on a source, 40 draws an epoch in 4 steps, with noise and mixed labels.
struct SampledRun {
  SampledRun(const datasets::Sampler& sampler, std::int64_t workers,
             std::vector<std::shared_ptr<training::Callback>> callbacks = {})
      : trainer(model, nn::cross_entropy, adam,
                datasets::Loader(datasets::as_source(SmallRun::data()),
                                 {.batch_size = 10,
                                  .seed = 4,
                                  .sampler = sampler,
                                  .sample_transform = datasets::gaussian_noise({.clip = false}),
                                  .transform = datasets::mixup({.classes = 3, .alpha = 0.2}),
                                  .workers = workers}),
                {.epochs = 3, .callbacks = std::move(callbacks)}) {}

  [[nodiscard]] std::vector<double> weights() const {
    std::vector<double> all;
    for (const auto& parameter : model.parameters()) {
      const Tensor wide = parameter->tensor().detach().to(float64);
      const auto data = wide.data<double>();
      all.insert(all.end(), data.begin(), data.end());
    }
    return all;
  }

  nn::MLP model = SmallRun::make_model();
  optim::Adam adam{model.parameters(), {.lr = 0.02}};
  training::Trainer trainer;
};

}  // namespace

TEST_CASE("trainer: a training by a sampler goes on from the middle of an epoch to the same bits") {
  const datasets::Dataset data = SmallRun::data();
  for (const datasets::Sampler& sampler :
       {datasets::weighted_sampler(datasets::class_balancing_weights(data.labels()), {.draws = 40}),
        datasets::stratified_sampler(data.labels(), {.balanced = true, .draws = 40})}) {
    SampledRun whole(sampler, 0);
    CHECK(whole.trainer.samples() == 40);
    CHECK(whole.trainer.steps() == 12);
    CHECK(whole.trainer.fit() == "epoch limit: 3 epochs");
    for (const std::int64_t stop_at : {1, 4, 6, 11}) {
      CAPTURE(stop_at);
      SampledRun begun(sampler, 2, {std::make_shared<StopAfter>(stop_at)});
      CHECK_THROWS_AS(begun.trainer.fit(), std::runtime_error);
      SampledRun resumed(sampler, 1);
      resumed.trainer.restore(begun.trainer.state_dict());
      resumed.trainer.fit();
      CHECK(resumed.weights() == whole.weights());
      CHECK(resumed.trainer.records().back().at("loss") == whole.trainer.records().back().at("loss"));
    }
  }
}

TEST_CASE("trainer: a source has the training of the data set with its samples") {
  const auto trained = [](const datasets::Loader& loader, const datasets::Loader& validation) {
    nn::MLP model = SmallRun::make_model();
    optim::Adam adam(model.parameters(), {.lr = 0.02});
    training::Trainer trainer(model, nn::cross_entropy, adam, loader,
                              {.epochs = 2,
                               .validation = validation,
                               .metrics = {std::make_shared<training::Accuracy>()},
                               .stop = {std::make_shared<training::EarlyStopping>(model)}});
    trainer.fit();
    CHECK(trainer.samples() == 60);
    return std::pair(trainer.records()[1].at("loss"), trainer.records()[1].at("validation_accuracy"));
  };
  const datasets::LoaderOptions options{.batch_size = 25, .shuffle = true};
  const datasets::Dataset data = SmallRun::data();
  const auto source = datasets::as_source(data);
  CHECK(trained(datasets::Loader(source, options), datasets::Loader(source)) ==
        trained(datasets::Loader(data, options), datasets::Loader(data)));
  nn::MLP model = SmallRun::make_model();
  optim::Adam adam(model.parameters());
  CHECK_THROWS_WITH_AS(training::Trainer(model, nn::cross_entropy, adam,
                                         datasets::Loader(datasets::subset(source, {0, 1}),
                                                          {.batch_size = 3, .drop_last = true}),
                                         {.epochs = 1}),
                       "Trainer: the loader has no batches of its 2 samples", ValueError);
}
