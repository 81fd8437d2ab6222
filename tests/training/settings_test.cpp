// Options that are saved with the state of a trainer, its rules and its metrics.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "tests/support/message_of.h"
#include "tests/training/spirals_run.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/losses.h"
#include "xtgrad/optim/schedules.h"
#include "xtgrad/optim/sgd.h"
#include "xtgrad/training/accuracy.h"
#include "xtgrad/training/confusion_matrix.h"
#include "xtgrad/training/convergence.h"
#include "xtgrad/training/early_stopping.h"
#include "xtgrad/training/trainer.h"

using namespace xtgrad;
using testing::message_of;
using training::Trainer;
using training_test::mlp;
using training_test::same;
using training_test::spirals;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

Tensor whole(std::int64_t number) { return full({}, number, {.dtype = int64}); }
Tensor number(double value) { return full({}, value, {.dtype = float64}); }

std::string refusal(nn::Stateful& object, const nn::StateDict& state, bool adopt = false) {
  return message_of<ValueError>([&] { return object.load_state_dict(state, {.adopt_settings = adopt}); });
}

/// Refused with both values, and changes nothing; adopted, `to` has the state of `from`.
void check_refused_and_adopted(nn::Stateful& from, nn::Stateful& to, const std::string& difference) {
  CAPTURE(difference);
  const nn::StateDict state = from.state_dict(), before = to.state_dict();
  const std::string message = refusal(to, state);
  CHECK(message.find("other settings: ") != std::string::npos);
  CHECK(message.find(difference) != std::string::npos);
  CHECK(same(to.state_dict(), before));
  to.load_state_dict(state, {.adopt_settings = true});
  CHECK(same(to.state_dict(), state));
}

training::EpochRecord epoch(std::int64_t number, double loss) {
  return {.epoch = number, .values = {{"validation_loss", loss}}};
}

struct Run {
  explicit Run(training::TrainerOptions options, datasets::LoaderOptions batches = {.batch_size = 20},
               double lr = 0.1)
      : sgd(model.parameters(), {.lr = lr}),
        trainer(model, nn::cross_entropy, sgd, datasets::Loader(spirals(), std::move(batches)),
                std::move(options)) {}
  std::string refused(const nn::StateDict& state, bool adopt = false) {
    const nn::StateDict before = trainer.state_dict();
    std::string message = message_of<ValueError>([&] {
      trainer.restore(state, {.adopt_settings = adopt});
      return 0;
    });
    CHECK(same(trainer.state_dict(), before));
    return message;
  }

  nn::MLP model = mlp();
  optim::SGD sgd;
  Trainer trainer;
};

}  // namespace

TEST_CASE("a stopping rule's state is of its options") {
  nn::MLP model = mlp();
  training::EarlyStopping from(model, {.patience = 2}), to(model, {.patience = 5, .maximize = true});
  from.after_epoch(epoch(1, 3));
  check_refused_and_adopted(from, to, "options.patience is 5, the state's is 2");
  CHECK_FALSE(to.after_epoch(epoch(2, 4)));
  CHECK(to.after_epoch(epoch(3, 4)));  // the second that is worse

  training::EarlyStopping other(model, {.watch = "accuracy"});
  CHECK(refusal(other, from.state_dict()).find("unexpected: options.watch.validation_loss") !=
        std::string::npos);
  nn::StateDict wrong = from.state_dict();
  wrong.set("options.patience", number(0));
  CHECK(refusal(from, wrong, true) == "EarlyStopping: patience must be at least 1: got 0");
  wrong.set("options.patience", number(not_a_number));
  CHECK(refusal(from, wrong, true) == "EarlyStopping: patience must be a whole number: got nan");

  training::GradientNorm steep(model.parameters(), 0.5), flat(model.parameters(), 0.25);
  check_refused_and_adopted(steep, flat, "options.below is 0.25, the state's is 0.5");
  training::ParameterChange far(model.parameters(), 0.5), near(model.parameters(), 0.25);
  check_refused_and_adopted(far, near, "options.below is 0.25, the state's is 0.5");
  training::LossPlateau once({.times = 1}), thrice({.times = 3, .of_epochs = true});
  once.after_step({.step = 1, .loss = 3});
  thrice.after_epoch({.epoch = 1, .values = {{"loss", 4}}});
  check_refused_and_adopted(once, thrice, "options.times is 3, the state's is 1");
}

TEST_CASE("a metric's state is of its options, and of numbers that belong together") {
  training::Accuracy all, some({.ignore_index = 2});
  some.update(tensor({{0.1, 0.9}, {0.9, 0.1}}), tensor({1, 1}, {.dtype = int64}));
  check_refused_and_adopted(some, all, "options.ignore_index.given is 0, the state's is 1");
  CHECK(all.value() == 0.5);
  nn::StateDict wrong = all.state_dict();
  wrong.set("correct", whole(3));
  CHECK(refusal(all, wrong) == "Accuracy: the loaded correct must be at most samples, 2: got 3");

  training::TopKAccuracy first({.k = 1}), second({.k = 2});
  check_refused_and_adopted(second, first, "options.k is 1, the state's is 2");
  training::ConfusionMatrix matrix({.classes = 2}), ignoring({.classes = 2, .ignore_index = 1});
  check_refused_and_adopted(ignoring, matrix, "options.ignore_index is 0, the state's is 1");
  wrong = matrix.state_dict();
  wrong.set("counts", full({2, 2}, std::int64_t{1} << 61, {.dtype = int64}));
  CHECK(refusal(matrix, wrong)
            .starts_with("ConfusionMatrix: the sum of the loaded counts must be at most 2^62"));
}

TEST_CASE("a state without options, as files of before have it, is loaded as it is") {
  nn::MLP model = mlp();
  training::EarlyStopping from(model, {.patience = 2}), to(model, {.patience = 5});
  from.after_epoch(epoch(1, 3));
  nn::StateDict old;
  for (const auto& [name, value] : from.state_dict()) {
    if (!name.starts_with("options.")) old.add(name, value);
  }
  to.load_state_dict(old);
  CHECK(to.best() == 3);
  Run run({.epochs = 2});
  old = {};
  for (const auto& [name, value] : Run({.epochs = 2, .accumulate = 2}).trainer.state_dict()) {
    if (!name.starts_with("options.") && name != "rates") old.add(name, value);
  }
  run.trainer.restore(old);
  CHECK(run.trainer.steps() == 12);
}

TEST_CASE(
    "a trainer's accumulation and clipping are those of the state, or adopted: then it goes on to the bit") {
  const auto options = [](std::int64_t accumulate, std::optional<double> clip_norm) {
    return training::TrainerOptions{.epochs = 2, .accumulate = accumulate, .clip_norm = clip_norm};
  };
  Run whole(options(2, 0.25));
  const nn::StateDict start = whole.trainer.state_dict();
  Run other(options(1, std::nullopt));
  const std::string message = other.refused(start);
  CHECK(message.find("options.accumulate is 1, the state's is 2; options.clip_norm.given is 0, the state's "
                     "is 1; options.clip_norm is 0, the state's is 0.25") != std::string::npos);
  other.trainer.restore(start, {.adopt_settings = true});
  CHECK(other.trainer.steps() == 6);
  manual_seed(5);
  whole.trainer.restore(start);
  whole.trainer.fit();
  manual_seed(6);
  other.trainer.restore(start);
  other.trainer.fit();
  CHECK(same(other.trainer.state_dict(), whole.trainer.state_dict()));

  nn::StateDict wrong = start;
  wrong.set("options.accumulate", number(0));
  CHECK(other.refused(wrong, true) == "Trainer: accumulate must be at least 1: got 0");
  wrong = start;
  wrong.set("options.clip_norm", number(-1));
  CHECK(other.refused(wrong, true) == "Trainer: clip_norm must be at least 0: got -1");
  wrong = start;
  wrong.set("loss_sum", number(not_a_number));
  CHECK(other.refused(wrong) == "Trainer: loss_sum must be a number: got NaN");
}

TEST_CASE("a trainer's state is of batches of the same samples") {
  Run run({.epochs = 2}, {.batch_size = 20, .shuffle = true, .seed = 1});
  const auto made = [](datasets::LoaderOptions batches) {
    return Run({.epochs = 2}, std::move(batches)).trainer.state_dict();
  };
  CHECK(run.refused(made({.batch_size = 30, .shuffle = true, .seed = 1}))
            .find("options.batch_size is 20, the state's is 30") != std::string::npos);
  CHECK(run.refused(made({.batch_size = 20, .shuffle = true, .seed = 2}))
            .find("options.seed is 1, the state's is 2") != std::string::npos);
  CHECK(run.refused(made({.batch_size = 20, .seed = 1})).find("options.shuffle is 1, the state's is 0") !=
        std::string::npos);
  CHECK(
      run.refused(made({.batch_size = 30, .shuffle = true, .seed = 1}), true) ==
      "Trainer: the loader's batch_size is 20, the state's is 30, which is not adopted: make the loader with "
      "it, or the training begin anew");
  run.trainer.restore(made({.batch_size = 20, .shuffle = true, .seed = 1, .workers = 1}));
}

TEST_CASE("a trainer's state is of a schedule of the same rates, whatever the file's floats") {
  const auto options = [](std::optional<optim::Schedule> schedule, std::int64_t epochs = 2) {
    return training::TrainerOptions{.epochs = epochs, .schedule = std::move(schedule)};
  };
  const nn::StateDict state = Run(options(optim::cosine({.steps = 12}))).trainer.state_dict();
  Run same_rates(options(optim::cosine({.steps = 12})));
  same_rates.trainer.restore(state);
  nn::StateDict narrow = state;
  narrow.set("rates", state.at("rates").to(float32));
  same_rates.trainer.restore(narrow);
  CHECK(same_rates.trainer.state_dict().at("rates").dtype() == float64);
  narrow.set("rates",
             state.at("rates").to(float32).to(float64));  // of another schedule, for all that it says
  CHECK(same_rates.refused(narrow).find("must be that of the state") != std::string::npos);

  Run longer(options(optim::cosine({.steps = 24}), 4));
  const std::string message = longer.refused(state);
  CHECK(message.starts_with(
      "Trainer: the schedule's learning rate of group 0 at step 1 must be that of the state, "));
  CHECK(message.ends_with("; pass {.adopt_settings = true} to go on with the trainer's own rates"));
  longer.trainer.restore(state, {.adopt_settings = true});
  CHECK(longer.trainer.state_dict().at("rates").size(0) == 24);

  Run other_rate(options(optim::cosine({.steps = 12})), {.batch_size = 20}, 0.2);
  CHECK(other_rate.refused(state).starts_with(
      "Trainer: the schedule's learning rate of group 0 at step 0 must be that of the state, 0.1: got 0.2"));
  Run none(options(std::nullopt));
  CHECK(none.refused(state) ==
        "Trainer: there is no schedule, but the state was made with one; pass {.adopt_settings = true} to go "
        "on "
        "with the trainer's own rates");
  CHECK(same_rates.refused(none.trainer.state_dict()) ==
        "Trainer: there is a schedule, but the state was made without one; pass {.adopt_settings = true} to "
        "go on "
        "with the trainer's own rates");
  // A training with the same rates goes on for longer.
  Run short_one(options(optim::step_decay({.step_size = 4, .gamma = 0.5})));
  Run long_one(options(optim::step_decay({.step_size = 4, .gamma = 0.5}), 4));
  long_one.trainer.restore(short_one.trainer.state_dict());
  short_one.trainer.restore(long_one.trainer.state_dict());
}

TEST_CASE("as many epochs as there can be are no overflow of the steps") {
  Run run({.epochs = std::numeric_limits<std::int64_t>::max(), .schedule = optim::constant()});
  CHECK(run.trainer.steps() == std::numeric_limits<std::int64_t>::max());
  CHECK(run.trainer.state_dict().at("rates").size(0) == 256);
}
