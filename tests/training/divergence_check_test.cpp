// Trainings whose losses are what the test says, by the call.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/message_of.h"
#include "tests/training/spirals_run.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/nn/losses.h"
#include "xtgrad/optim/sgd.h"
#include "xtgrad/training/divergence_check.h"
#include "xtgrad/training/trainer.h"

using namespace xtgrad;
using testing::message_of;
using training::DivergenceCheck;
using training_test::loader;
using training_test::mlp;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

/// A training of 2 epochs of 6 steps whose n-th loss is the n-th of `losses`, and then the last for good.
struct Run {
  explicit Run(std::vector<double> losses, const training::DivergenceCheckOptions& options = {},
               bool validate = false, Dtype dtype = float64)
      : trainer(model,
                [values = std::move(losses), dtype, call = std::size_t{0}](const Tensor& scores,
                                                                           const Tensor& labels) mutable {
                  const double value = values[std::min(call++, values.size() - 1)];
                  return (nn::cross_entropy(scores, labels) * 0.0 + value).to(dtype);
                },
                sgd, loader(),
                {.epochs = 2,
                 .validation = validate ? std::optional(loader()) : std::nullopt,
                 .callbacks = {std::make_shared<DivergenceCheck>(options)}}) {}

  nn::MLP model = mlp();
  optim::SGD sgd{model.parameters(), {.lr = 0.1}};
  training::Trainer trainer;
};

}  // namespace

TEST_CASE("DivergenceCheck ends a training whose step's loss has exploded, in both dtypes") {
  for (const Dtype dtype : {float32, float64}) {
    Run run({2, 2e6, 3e6}, {}, false, dtype);
    CHECK(
        message_of<ConvergenceError>([&] { return run.trainer.fit(); }) ==
        "DivergenceCheck: the loss has exploded: it was 2 at first and is 3e+06 in epoch 1 at learning rate "
        "0.1");
    CHECK(run.trainer.step() == 3);
  }
}

TEST_CASE("DivergenceCheck measures an epoch's loss by a smaller multiple, without a validation") {
  Run run({2, 1e5});
  CHECK(message_of<ConvergenceError>([&] { return run.trainer.fit(); }).find("the loss has exploded") !=
        std::string::npos);
  CHECK(run.trainer.step() == 6);
  CHECK(Run({2, 1e5}, {.epoch_multiple = 1e6}).trainer.fit() == "epoch limit: 2 epochs");
}

TEST_CASE("DivergenceCheck looks at the validation loss") {
  Run exploded({2, 2, 2, 2, 2, 2, 1e5}, {}, true);
  CHECK(message_of<ConvergenceError>([&] { return exploded.trainer.fit(); }) ==
        "DivergenceCheck: the validation loss has exploded: it was 2 at first and is 1e+05 in epoch 1 at "
        "learning rate 0.1");
  Run infinite({2, 2, 2, 2, 2, 2, inf}, {}, true);
  CHECK(message_of<NonFiniteError>([&] { return infinite.trainer.fit(); }) ==
        "DivergenceCheck: the validation loss became inf in epoch 1 at learning rate 0.1");
}

TEST_CASE("DivergenceCheck lets a loss rise from 0, and a negative one rise through 0 or fall") {
  CHECK(Run({0, 900}).trainer.fit() == "epoch limit: 2 epochs");
  CHECK(Run({-5, 900}).trainer.fit() == "epoch limit: 2 epochs");
  CHECK(Run({-5, -1e9}).trainer.fit() == "epoch limit: 2 epochs");
  Run negative({-5, 6e6});
  CHECK(message_of<ConvergenceError>([&] { return negative.trainer.fit(); }) ==
        "DivergenceCheck: the loss has exploded: it was -5 at first and is 6e+06 in epoch 1 at learning rate "
        "0.1");
}

TEST_CASE("DivergenceCheck measures by the multiple and the least size that it is given") {
  // A step's loss may rise by 10 times 2, and the epoch's mean by more than that.
  CHECK(Run({2, 21.9}, {.step_multiple = 10}).trainer.fit() == "epoch limit: 2 epochs");
  Run step({2, 22.1}, {.step_multiple = 10});
  CHECK(message_of<ConvergenceError>([&] { return step.trainer.fit(); }).find("is 22.1 in epoch 1") !=
        std::string::npos);
  CHECK(step.trainer.step() == 2);
  // A first loss of 0.25 counts as 0.5: a step's may rise by 5.
  const training::DivergenceCheckOptions small{.step_multiple = 10, .min_scale = 0.5};
  CHECK(Run({0.25, 5.2}, small).trainer.fit() == "epoch limit: 2 epochs");
  Run least({0.25, 5.3}, small);
  CHECK(message_of<ConvergenceError>([&] { return least.trainer.fit(); }).find("is 5.3 in epoch 1") !=
        std::string::npos);
}

TEST_CASE("DivergenceCheck measures a resumed training by its first epoch's loss") {
  Run whole({2, 2, 2, 2, 2, 2, 1e9});
  CHECK_THROWS_AS(whole.trainer.fit(), ConvergenceError);
  Run resumed({1e9});
  resumed.trainer.restore(whole.trainer.state_dict());
  CHECK(message_of<ConvergenceError>([&] { return resumed.trainer.fit(); }) ==
        "DivergenceCheck: the loss has exploded: it was 2 at first and is 1e+09 in epoch 2 at learning rate "
        "0.1");
}

TEST_CASE("DivergenceCheck refuses options that are not finite and positive") {
  CHECK(message_of<ValueError>([] { return DivergenceCheck({.step_multiple = 0}); }) ==
        "DivergenceCheck: step_multiple must be finite and positive: got 0");
  CHECK(message_of<ValueError>([] { return DivergenceCheck({.epoch_multiple = -1}); }) ==
        "DivergenceCheck: epoch_multiple must be finite and positive: got -1");
  CHECK(message_of<ValueError>([] { return DivergenceCheck({.min_scale = inf}); }) ==
        "DivergenceCheck: min_scale must be finite and positive: got inf");
}
