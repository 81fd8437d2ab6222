#include "xtgrad/training/trainer.h"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/message_of.h"
#include "tests/training/small_run.h"
#include "tests/training/spirals_run.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/datasets/synthetic.h"
#include "xtgrad/nn/losses.h"
#include "xtgrad/nn/mlp.h"
#include "xtgrad/optim/adam.h"
#include "xtgrad/optim/clip.h"
#include "xtgrad/optim/schedules.h"
#include "xtgrad/optim/sgd.h"
#include "xtgrad/optim/weight_average.h"
#include "xtgrad/training/accuracy.h"
#include "xtgrad/training/confusion_matrix.h"
#include "xtgrad/training/convergence.h"
#include "xtgrad/training/early_stopping.h"
#include "xtgrad/training/evaluate.h"

using namespace xtgrad;
using testing::message_of;
using training::Trainer;
using training_test::loader;
using training_test::mlp;
using training_test::same;
using training_test::spirals;

namespace {

/// Calls functions, and throws after so many steps if it is told to.
class Watch final : public training::Callback {
 public:
  std::vector<std::string> calls;
  std::vector<training::StepRecord> steps;
  std::vector<double> accuracies;
  std::int64_t throw_before = -1;
  std::function<void(Trainer&)> at_step;

  void begin(Trainer&) override { calls.emplace_back("begin"); }
  void before_step(Trainer& trainer) override {
    if (trainer.step() == throw_before) throw std::runtime_error("stop");
  }
  void after_step(Trainer& trainer, const training::StepRecord& step) override {
    steps.push_back(step);
    for (const auto& [name, value] : step.values) {
      if (name == "accuracy") accuracies.push_back(value);
    }
    if (at_step) at_step(trainer);
  }
  void after_epoch(Trainer&, const training::EpochRecord& epoch) override {
    calls.push_back("epoch " + std::to_string(epoch.epoch));
  }
  void at_end(Trainer&, const std::string& reason) override { calls.push_back(reason); }
};

/// A training with all that has a state.
struct Run {
  explicit Run(std::int64_t accumulate = 1, std::int64_t epochs = 4)
      : average(model.parameters(), {.decay = 0.9}),
        trainer(model, nn::cross_entropy, adam, loader(),
                {.epochs = epochs,
                 .schedule = optim::cosine({.steps = 24}),
                 .accumulate = accumulate,
                 .clip_norm = 0.5,
                 .validation = datasets::Loader(spirals(), {.batch_size = 50}),
                 .metrics = {std::make_shared<training::Accuracy>(),
                             std::make_shared<training::F1>(training::ClassScoreOptions{.classes = 3})},
                 .stop = {std::make_shared<training::EarlyStopping>(
                     model, training::EarlyStoppingOptions{.patience = 3})},
                 .callbacks = {watch}}) {
    trainer.remember("average", average);
    watch->at_step = [this](Trainer&) { average.update(); };
  }
  nn::MLP model = mlp();
  optim::Adam adam{model.parameters(), {.lr = 0.01}};
  optim::WeightAverage average;
  std::shared_ptr<Watch> watch = std::make_shared<Watch>();
  Trainer trainer;
};

Trainer plain_trainer(nn::MLP& model, optim::Optimizer& optimizer, training::TrainerOptions options) {
  return Trainer(model, nn::cross_entropy, optimizer, loader(), std::move(options));
}

}  // namespace

TEST_CASE("a trainer does what a loop by hand does, to the bit") {
  nn::MLP by_hand = mlp();
  optim::Adam adam(by_hand.parameters(), {.lr = 0.01});
  const optim::ScheduledLr rates(adam, optim::cosine({.steps = 24}));
  datasets::Loader batches = loader();
  std::int64_t step = 0;
  for (int epoch = 0; epoch < 4; ++epoch) {
    for (auto& [x, y] : batches) {
      rates.apply(adam, step++);
      const Tensor loss = nn::cross_entropy(by_hand(x), y);
      adam.zero_grad();
      loss.backward();
      optim::clip_grad_norm(by_hand.parameters(), 0.5);
      adam.step();
    }
  }
  nn::MLP model = mlp();
  optim::Adam other(model.parameters(), {.lr = 0.01});
  Trainer trainer =
      plain_trainer(model, other, {.epochs = 4, .schedule = optim::cosine({.steps = 24}), .clip_norm = 0.5});
  CHECK(trainer.steps() == 24);
  CHECK(trainer.samples() == 102);
  CHECK(trainer.fit() == "epoch limit: 4 epochs");
  CHECK(trainer.step() == 24);
  CHECK(trainer.epoch() == 4);
  CHECK(same(model.state_dict(), by_hand.state_dict()));
  CHECK(same(other.state_dict(), adam.state_dict()));
}

TEST_CASE("records have the means over each epoch, and validation in use") {
  Run run;
  run.trainer.fit();
  const std::vector<training::EpochRecord> records = run.trainer.records();
  REQUIRE(records.size() == 4);
  std::vector<std::string> names;
  for (const auto& value : records[0].values) names.push_back(value.name);
  CHECK(names == std::vector<std::string>{"loss", "accuracy", "f1", "validation_loss", "validation_accuracy",
                                          "validation_f1"});
  REQUIRE(run.watch->steps.size() == 24);
  double sum = 0;
  for (std::size_t i = 18; i < 24; ++i) sum += run.watch->steps[i].loss * (i < 23 ? 20 : 2);
  CHECK(records[3].at("loss") == doctest::Approx(sum / 102).epsilon(1e-12));
  CHECK(records[3].at("accuracy") == run.watch->accuracies.back());
  CHECK(records[3].step == 24);
  CHECK(records[3].lr == run.watch->steps.back().lr);
  CHECK(records[3].samples_per_second > 0);
  CHECK(records[3].seconds > 0);
  CHECK(run.watch->steps.back().samples == 102);
  CHECK(run.watch->steps.back().epoch == 4);
  const auto last =
      training::evaluate(run.model, nn::cross_entropy, datasets::Loader(spirals(), {.batch_size = 50}));
  // The last epoch was the best, or it would have been put back.
  CHECK(records[3].at("validation_loss") == last[0].value);
  CHECK(run.watch->calls == std::vector<std::string>{"begin", "epoch 1", "epoch 2", "epoch 3", "epoch 4",
                                                     "epoch limit: 4 epochs"});
}

TEST_CASE("a training that was stopped at any step and resumed ends with the same bits") {
  for (const std::int64_t accumulate : {1, 4}) {
    Run whole(accumulate);
    whole.trainer.fit();
    for (std::int64_t stop = 0; stop < whole.trainer.step(); stop += 3) {
      CAPTURE(accumulate);
      CAPTURE(stop);
      Run first(accumulate);
      first.watch->throw_before = stop;
      CHECK_THROWS_AS(first.trainer.fit(), std::runtime_error);
      CHECK(first.trainer.step() == stop);
      const nn::StateDict state = first.trainer.state_dict();
      Run second(accumulate);
      second.trainer.restore(state);
      CHECK(second.trainer.step() == stop);
      second.trainer.fit();
      CHECK(same(second.trainer.state_dict(), whole.trainer.state_dict()));
      const auto records = second.trainer.records();
      const auto expected = whole.trainer.records();
      REQUIRE(records.size() == expected.size());
      for (std::size_t i = 0; i < records.size(); ++i) {
        for (const auto& [name, value] : expected[i].values) CHECK(records[i].at(name) == value);
      }
      // The first goes on as well, from where it was stopped.
      first.watch->throw_before = -1;
      manual_seed(0);
      first.trainer.restore(state);
      first.trainer.fit();
      CHECK(same(first.trainer.state_dict(), whole.trainer.state_dict()));
    }
  }
}

TEST_CASE("a state of after an epoch's last step, before its validation, is one to go on from") {
  Run whole;
  whole.trainer.fit();
  Run first;
  nn::StateDict state;
  first.watch->at_step = [&](Trainer& trainer) {
    first.average.update();
    if (trainer.step() == 12) state = trainer.state_dict();
  };
  first.trainer.fit();
  Run second;
  second.trainer.restore(state);
  CHECK(second.trainer.batch() == 6);
  second.trainer.fit();
  CHECK(same(second.trainer.state_dict(), whole.trainer.state_dict()));
  CHECK(second.trainer.records()[1].at("loss") == whole.trainer.records()[1].at("loss"));
}

TEST_CASE("batches that are accumulated make the steps of big ones, the last of an epoch smaller") {
  // 102 samples: 5 batches of 20 and one of 2; by fours, steps of 80 and 22.
  const auto train = [](std::int64_t batch, std::int64_t accumulate) {
    manual_seed(3);
    nn::MLP model({.sizes = {2, 16, 3}});
    optim::SGD sgd(model.parameters(), {.lr = 0.1});
    Trainer trainer(model, nn::cross_entropy, sgd,
                    datasets::Loader(spirals(), {.batch_size = batch, .shuffle = true, .seed = 1}),
                    {.epochs = 2, .accumulate = accumulate});
    trainer.fit();
    CHECK(trainer.step() == 4);
    CHECK(trainer.steps() == 4);
    return std::pair(model.state_dict(), trainer.records());
  };
  const auto [small, small_records] = train(20, 4);
  const auto [big, big_records] = train(80, 1);
  for (const auto& [name, value] : big) {
    const auto& shown_name = name;
    CAPTURE(shown_name);
    CHECK(amax(abs(value - small.at(name))).item() < 1e-6);
  }
  CHECK(small_records[1].at("loss") == doctest::Approx(big_records[1].at("loss")).epsilon(1e-6));
}

TEST_CASE("a rule that stops in an epoch ends it there, and a resumed run knows that it is over") {
  const auto make = [](nn::MLP& model, optim::Optimizer& sgd) {
    return plain_trainer(
        model, sgd,
        {.epochs = 4, .stop = {std::make_shared<training::ParameterChange>(model.parameters(), 1e9)}});
  };
  nn::MLP model = mlp();
  optim::SGD sgd(model.parameters(), {.lr = 0.1});
  Trainer trainer = make(model, sgd);
  CHECK(trainer.reason().empty());
  const std::string reason = trainer.fit();
  CHECK(reason.starts_with("parameter change: "));
  CHECK(reason.ends_with(" is below 1e+09 at step 1"));
  CHECK(trainer.step() == 1);
  CHECK(trainer.epoch() == 1);
  REQUIRE(trainer.records().size() == 1);
  nn::MLP again = mlp();
  optim::SGD other(again.parameters(), {.lr = 0.1});
  Trainer resumed = make(again, other);
  resumed.restore(trainer.state_dict());
  CHECK(resumed.fit() == reason);
  CHECK(resumed.step() == 1);
}

TEST_CASE("a state saved while a rule cut an epoch short is one to go on from") {
  nn::StateDict state;
  const auto make = [&](nn::MLP& model, optim::Optimizer& sgd) {
    auto watch = std::make_shared<Watch>();
    watch->at_step = [&](Trainer& trainer) { state = trainer.state_dict(); };
    return std::make_unique<Trainer>(
        model, nn::cross_entropy, sgd, loader(),
        training::TrainerOptions{.epochs = 4,
                                 .stop = {std::make_shared<training::GradientNorm>(model.parameters(), 1e9)},
                                 .callbacks = {watch}});
  };
  nn::MLP model = mlp();
  optim::SGD sgd(model.parameters(), {.lr = 0.1});
  const auto trainer = make(model, sgd);
  trainer->fit();
  nn::MLP again = mlp();
  optim::SGD other(again.parameters(), {.lr = 0.1});
  const auto resumed = make(again, other);
  resumed->restore(state);
  CHECK(resumed->epoch() == 0);
  CHECK(resumed->fit() == trainer->reason());
  REQUIRE(resumed->records().size() == 1);
  CHECK(resumed->records()[0].at("loss") == trainer->records()[0].at("loss"));
  CHECK(same(resumed->state_dict(), trainer->state_dict()));
}

TEST_CASE("early stopping gives the model the best epoch's weights, also at the epoch limit") {
  nn::MLP model = mlp();
  optim::SGD sgd(model.parameters(), {.lr = 0.01});
  const auto early =
      std::make_shared<training::EarlyStopping>(model, training::EarlyStoppingOptions{.patience = 100});
  auto watch = std::make_shared<Watch>();
  // From the second epoch on the steps lead away.
  watch->at_step = [&](Trainer& trainer) {
    if (trainer.epoch() >= 1) sgd.set_lr(30);
  };
  Trainer trainer(model, nn::cross_entropy, sgd, loader(),
                  {.epochs = 3,
                   .validation = datasets::Loader(spirals(), {.batch_size = 102}),
                   .stop = {early},
                   .callbacks = {watch}});
  CHECK(trainer.fit() == "epoch limit: 3 epochs");
  CHECK(early->best_epoch() == 1);
  const auto values =
      training::evaluate(model, nn::cross_entropy, datasets::Loader(spirals(), {.batch_size = 102}));
  CHECK(values[0].value == trainer.records()[0].at("validation_loss"));
  CHECK(values[0].value < trainer.records()[2].at("validation_loss"));
}

TEST_CASE("a finished training goes on with a larger limit") {
  Run short_run(1, 2);
  CHECK(short_run.trainer.fit() == "epoch limit: 2 epochs");
  Run longer(1, 4);
  longer.trainer.restore(short_run.trainer.state_dict());
  CHECK(longer.trainer.reason().empty());
  CHECK(longer.trainer.fit() == "epoch limit: 4 epochs");
  CHECK(longer.trainer.records().size() == 4);
}
