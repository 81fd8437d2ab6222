// What a trainer refuses, and what is left where something throws.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/message_of.h"
#include "tests/training/small_run.h"
#include "tests/training/spirals_run.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/datasets/synthetic.h"
#include "xtgrad/nn/losses.h"
#include "xtgrad/nn/mlp.h"
#include "xtgrad/optim/adam.h"
#include "xtgrad/optim/sgd.h"
#include "xtgrad/training/accuracy.h"
#include "xtgrad/training/early_stopping.h"
#include "xtgrad/training/trainer.h"

using namespace xtgrad;
using testing::message_of;
using training::Trainer;
using training_test::loader;
using training_test::mlp;
using training_test::same;
using training_test::SmallRun;
using training_test::spirals;

TEST_CASE("a loss that is no number ends the training before its step") {
  nn::MLP model = mlp();
  optim::SGD sgd(model.parameters(), {.lr = 0.1});
  int calls = 0;
  const auto loss = [&](const Tensor& scores, const Tensor& labels) {
    const Tensor value = nn::cross_entropy(scores, labels);
    return ++calls == 3 ? value * std::numeric_limits<double>::quiet_NaN() : value;
  };
  Trainer trainer(model, loss, sgd, loader(), {.epochs = 2});
  CHECK(message_of<NonFiniteError>([&] { return trainer.fit(); }) ==
        "Trainer: the loss must be finite: got nan in epoch 1, step 3, at learning rate 0.1");
  CHECK(trainer.step() == 2);
  CHECK(trainer.batch() == 2);
  CHECK(std::isnan(trainer.last_loss()));
  CHECK(std::isfinite(model.state_dict().at("layers.0.weight").at({0, 0})));
  CHECK(trainer.fit() == "epoch limit: 2 epochs");
  CHECK(trainer.step() == 12);
}

TEST_CASE("a trainer takes over no state that it could not be in, and is left as it was") {
  nn::MLP model = mlp();
  optim::SGD sgd(model.parameters(), {.lr = 0.1});
  Trainer trainer(model, nn::cross_entropy, sgd, loader(),
                  {.epochs = 3, .metrics = {std::make_shared<training::Accuracy>()}});
  const nn::StateDict start = trainer.state_dict();
  const auto refused = [&](const std::string& name, const Tensor& value) {
    nn::StateDict state = start;
    state.set(name, value);
    const std::string message = message_of<ValueError>([&] {
      trainer.restore(state);
      return 0;
    });
    CHECK(same(trainer.state_dict(), start));
    return message;
  };
  const auto whole = [](std::int64_t number) { return full({}, number, {.dtype = int64}); };
  CHECK(refused("epoch", whole(4)) == "Trainer: epoch must be from 0 to 3: got 4");
  CHECK(refused("epoch", whole(-1)) ==
        "load_state_dict: the state does not fit this Trainer, which was left as it is:\n"
        "  impossible: epoch is a count, from 0 to 2^62: got -1");
  CHECK(refused("epoch", whole(2)) == "History: records must be float64 [2, 6]: got none");
  CHECK(refused("batch", whole(7)) == "Trainer: batch must be from 0 to 6: got 7");
  CHECK(refused("step", whole(19)) == "Trainer: step must be from 0 to 18: got 19");
  CHECK(refused("history.records", zeros({1, 6}, {.dtype = float64})) ==
        "History: records must be float64 [0, 6]: got float64 [1, 6]");
  nn::StateDict fits = start;
  fits.set("batch", whole(6));
  trainer.restore(fits);
  CHECK(trainer.batch() == 6);
}

TEST_CASE("a trainer refuses options that make no training") {
  nn::MLP model = mlp();
  optim::SGD sgd(model.parameters(), {.lr = 0.1});
  const auto refused = [&](training::TrainerOptions options) {
    return message_of<ValueError>(
        [&] { return Trainer(model, nn::cross_entropy, sgd, loader(), std::move(options)).step(); });
  };
  CHECK(refused({.epochs = 0}) == "Trainer: epochs must be at least 1: got 0");
  CHECK(refused({.epochs = 1, .accumulate = 0}) == "Trainer: accumulate must be at least 1: got 0");
  CHECK(refused({.epochs = 1, .metrics = {nullptr}}) == "Trainer: metric 0 of 1 is null");
  CHECK(refused({.epochs = 1, .stop = {nullptr}}) == "AnyOf: rule 0 of 1 is null");
  CHECK(refused({.epochs = 1, .callbacks = {nullptr}}) == "Trainer: callback 0 of 1 is null");
  CHECK(refused(
            {.epochs = 1,
             .metrics = {std::make_shared<training::Accuracy>(), std::make_shared<training::Accuracy>()}}) ==
        "Trainer: metric 1 is called \"accuracy\", as another value is");
  CHECK(message_of<ValueError>([&] {
          return Trainer(model, nn::cross_entropy, sgd, datasets::Loader(spirals().subset({})), {.epochs = 1})
              .step();
        }) == "Trainer: the loader has no batches of its 0 samples");
  CHECK(refused({.epochs = 1, .validation = datasets::Loader(spirals().subset({}))}) ==
        "Trainer: the validation loader has no batches of its 0 samples");
  CHECK(refused({.epochs = 1,
                 .validation =
                     datasets::Loader(spirals().subset({0, 1, 2}), {.batch_size = 4, .drop_last = true})}) ==
        "Trainer: the validation loader has no batches of its 3 samples");
  nn::MLP copy = model;
  optim::SGD of_copy(copy.parameters(), {.lr = 0.1});
  CHECK(message_of<ValueError>(
            [&] { return Trainer(model, nn::cross_entropy, of_copy, loader(), {.epochs = 1}).step(); }) ==
        "Trainer: none of the optimizer's 4 parameters is one of the model's 4: was it made of a copy of the "
        "model, or before another model was assigned to this one?");
  Trainer trainer(model, nn::cross_entropy, sgd, loader(), {.epochs = 1});
  trainer.remember("model", model);
  CHECK(message_of<ValueError>([&] {
          trainer.remember("model", model);
          return 0;
        }) == "Trainer: remember: \"model\" is there already");
}

namespace {

/// Refuses the outputs of its n-th batch.
class Picky final : public training::Metric {
 public:
  explicit Picky(int refused) : refused_(refused) {}
  [[nodiscard]] std::string name() const override { return "picky"; }
  void reset() override {}
  void update(const Tensor&, const Tensor&) override {
    if (++count_ == refused_) throw ValueError("picky: refused");
  }
  [[nodiscard]] double value() const override { return 1; }
  void members(nn::Members&) override {}

 private:
  int refused_;
  int count_ = 0;
};

}  // namespace

TEST_CASE("a metric that throws leaves its batch out, and the trainer counts on") {
  SmallRun plain({});
  plain.trainer.fit();
  nn::MLP model = SmallRun::make_model();
  optim::Adam adam(model.parameters(), {.lr = 0.02});
  training::Trainer trainer(model, nn::cross_entropy, adam,
                            datasets::Loader(SmallRun::data(), {.batch_size = 25, .shuffle = true}),
                            {.epochs = 4, .metrics = {std::make_shared<Picky>(2)}});
  CHECK_THROWS_WITH_AS((void)trainer.fit(), "picky: refused", ValueError);
  CHECK(trainer.step() == 2);
  CHECK(trainer.batch() == 2);
  trainer.fit();
  CHECK(trainer.step() == 12);
  CHECK(trainer.records().size() == 4);
  for (std::size_t epoch = 0; epoch < 4; ++epoch) {
    CHECK(trainer.records()[epoch].at("loss") == plain.trainer.records()[epoch].at("loss"));
  }
}

TEST_CASE("a validation that fails leaves the training's metrics as they were") {
  SmallRun plain({}, 1);
  plain.trainer.fit();
  nn::MLP model = SmallRun::make_model();
  optim::Adam adam(model.parameters(), {.lr = 0.02});
  int calls = 0;
  // The fourth call is the first validation batch; once the training is called again, it works.
  const training::Loss loss([&](const Tensor& outputs, const Tensor& labels) {
    if (++calls == 5) throw std::runtime_error("validation failed");
    return nn::cross_entropy(outputs, labels);
  });
  training::Trainer trainer(model, loss, adam,
                            datasets::Loader(SmallRun::data(), {.batch_size = 25, .shuffle = true}),
                            {.epochs = 1,
                             .validation = datasets::Loader(SmallRun::data(), {.batch_size = 20}),
                             .metrics = {std::make_shared<training::Accuracy>()}});
  CHECK_THROWS_WITH_AS((void)trainer.fit(), "validation failed", std::runtime_error);
  trainer.fit();
  REQUIRE(trainer.records().size() == 1);
  CHECK(trainer.records()[0].at("accuracy") == plain.trainer.records()[0].at("accuracy"));
  CHECK(trainer.records()[0].at("validation_accuracy") ==
        plain.trainer.records()[0].at("validation_accuracy"));
}

TEST_CASE("a rule that looks at a value which epochs will not have is refused before the first one") {
  nn::MLP model = SmallRun::make_model();
  optim::Adam adam(model.parameters());
  CHECK(message_of<ValueError>([&] {
          return training::Trainer(model, nn::cross_entropy, adam, datasets::Loader(SmallRun::data()),
                                   {.epochs = 1, .stop = {std::make_shared<training::EarlyStopping>(model)}})
              .step();
        }) == "EarlyStopping: no value \"validation_loss\"; there are: loss");
}
