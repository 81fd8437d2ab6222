#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/message_of.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/batch_norm.h"
#include "xtgrad/nn/linear.h"
#include "xtgrad/nn/losses.h"
#include "xtgrad/nn/module.h"
#include "xtgrad/optim/clip.h"
#include "xtgrad/optim/sgd.h"
#include "xtgrad/training/convergence.h"
#include "xtgrad/training/early_stopping.h"
#include "xtgrad/training/stopping_rule.h"

using namespace xtgrad;
using testing::message_of;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// sum(w^2) / 2, whose gradient is w: gradient descent at rate 0.5 halves w.
struct Bowl : nn::Module {
  explicit Bowl(Dtype dtype = float32) : w(tensor({3, 4}, {.dtype = dtype})) {}
  nn::Parameter w;
  void members(nn::Members& m) override { m("w", w); }
  Tensor forward(const Tensor& x) override { return sum(square(w.tensor())) * 0.5 + sum(x) * 0; }
};

/// Steps at rate 0.5 until the rule stops, or 100 of them.
std::int64_t steps_until(training::StoppingRule& rule, Bowl& bowl) {
  optim::SGD sgd(bowl.parameters(), {.lr = 0.5});
  for (std::int64_t step = 1; step <= 100; ++step) {
    const Tensor loss = bowl(zeros({1}, {.dtype = bowl.w.dtype()}));
    sgd.zero_grad();
    loss.backward();
    sgd.step();
    if (rule.after_step({.step = step, .loss = loss.item()})) return step;
  }
  return 0;
}

training::EpochRecord epoch(std::int64_t number, double validation_loss) {
  return {.epoch = number, .values = {{"loss", 1}, {"validation_loss", validation_loss}}};
}

}  // namespace

TEST_CASE("a rule stops where the gradient is small, and says so") {
  for (const Dtype dtype : {float32, float64}) {
    Bowl bowl(dtype);
    training::GradientNorm rule(bowl.parameters(), 0.1);
    CHECK(rule.reason().empty());
    // Norms are 5, 2.5, 1.25 and so on; the seventh is 5 / 64.
    CHECK(steps_until(rule, bowl) == 7);
    CHECK(rule.stopped());
    CHECK(rule.reason() == "gradient norm: 0.0781 is below 0.1 at step 7");
    // It is over, whatever comes.
    CHECK(rule.after_step({.step = 8}));
    CHECK(rule.reason() == "gradient norm: 0.0781 is below 0.1 at step 7");
  }
}

TEST_CASE("a missing gradient is no small one") {
  Bowl bowl;
  training::GradientNorm rule(bowl.parameters(), 0.1);
  CHECK(message_of<ValueError>([&] { return rule.after_step({.step = 3}); }) ==
        "GradientNorm: none of the 1 parameters has a gradient after step 3");
}

TEST_CASE("a rule stops where parameters hardly move, and says so") {
  for (const Dtype dtype : {float32, float64}) {
    Bowl bowl(dtype);
    training::ParameterChange rule(bowl.parameters(), 0.1);
    // It moves by 2.5, 1.25 and so on; the sixth time by 5 / 64.
    CHECK(steps_until(rule, bowl) == 6);
    CHECK(rule.reason() == "parameter change: 0.0781 is below 0.1 at step 6");
  }
}

TEST_CASE("a rule stops after several small changes of the loss in a row") {
  training::LossPlateau rule({.below = 0.1, .times = 3});
  std::vector<bool> stops;
  for (const double loss : {1.0, 1.05, 1.0, 0.8, 0.85, not_a_number, not_a_number, 0.8, 0.75, 0.8, 0.79}) {
    stops.push_back(rule.after_step({.loss = loss}));
  }
  CHECK(stops ==
        std::vector<bool>{false, false, false, false, false, false, false, false, false, false, true});
  CHECK(rule.reason() == "loss plateau: 0.79 after 3 changes below 0.1 in a row");
}

TEST_CASE("a plateau of epochs heeds no steps, and one of steps no epochs") {
  training::LossPlateau of_epochs({.below = 0.1, .times = 1, .of_epochs = true});
  training::LossPlateau of_steps({.below = 0.1, .times = 1});
  for (int i = 0; i < 3; ++i) CHECK_FALSE(of_epochs.after_step({.loss = 1}));
  for (int i = 0; i < 3; ++i) CHECK_FALSE(of_steps.after_epoch(epoch(i, 1)));
  CHECK_FALSE(of_epochs.after_epoch(epoch(1, 1)));
  CHECK(of_epochs.after_epoch(epoch(2, 1)));
}

TEST_CASE("a rule stops at an epoch limit") {
  training::EpochLimit rule(2);
  CHECK_FALSE(rule.after_epoch(epoch(1, 0)));
  CHECK(rule.after_epoch(epoch(2, 0)));
  CHECK(rule.reason() == "epoch limit: 2 epochs");
}

TEST_CASE("early stopping waits out its patience, and restores the best weights, buffers included") {
  struct Model : nn::Module {
    nn::Linear linear{2, 2};
    nn::BatchNorm1d norm{{.num_features = 2}};
    void members(nn::Members& m) override {
      m("linear", linear);
      m("norm", norm);
    }
    Tensor forward(const Tensor& x) override { return norm(linear(x)); }
  };
  Model model;
  training::EarlyStopping rule(model, {.patience = 2});
  const auto mark = [&](double value) {
    model.linear.weight.set_value(full({2, 2}, value));
    model.norm.running_mean = full({2}, value);
  };
  std::vector<bool> stops;
  const std::vector<double> losses{3, 2, 2.5, 1, not_a_number, 1};
  for (std::size_t i = 0; i < losses.size(); ++i) {
    mark(static_cast<double>(i + 1));
    stops.push_back(rule.after_epoch(epoch(static_cast<std::int64_t>(i + 1), losses[i])));
  }
  CHECK(stops == std::vector<bool>{false, false, false, false, false, true});
  CHECK(rule.reason() == "early stopping: validation_loss has not improved on 1 of epoch 4 for 2 epochs");
  CHECK(rule.best() == 1);
  CHECK(rule.best_epoch() == 4);
  CHECK(rule.best_state().at("linear.weight").at({1, 1}) == 4);
  CHECK(model.linear.weight.tensor().at({0, 0}) == 6);
  rule.at_end();
  CHECK(model.linear.weight.tensor().at({0, 0}) == 4);
  CHECK(model.norm.running_mean.at({1}) == 4);
}

TEST_CASE("early stopping may watch a value that is to rise, with a margin, and leave the weights alone") {
  Bowl bowl;
  training::EarlyStopping rule(
      bowl, {.patience = 2, .min_delta = 0.1, .watch = "accuracy", .maximize = true, .restore_best = false});
  const auto see = [&](std::int64_t number, double accuracy) {
    return rule.after_epoch({.epoch = number, .values = {{"accuracy", accuracy}}});
  };
  CHECK_FALSE(see(1, 0.5));
  CHECK_FALSE(see(2, 0.55));
  CHECK_FALSE(see(3, 0.7));
  CHECK_FALSE(see(4, 0.75));
  CHECK(see(5, 0.6));
  CHECK(rule.best_epoch() == 3);
  bowl.w.set_value(tensor({7, 7}));
  rule.at_end();
  CHECK(bowl.w.tensor().at({0}) == 7);
  CHECK(message_of<ValueError>([&] {
          return training::EarlyStopping(bowl).after_epoch({.values = {{"loss", 1}, {"lr", 2}}});
        }) == "EarlyStopping: no value \"validation_loss\"; there are: loss, lr");
}

TEST_CASE("early stopping that has seen no epoch restores nothing") {
  Bowl bowl;
  training::EarlyStopping rule(bowl);
  bowl.w.set_value(tensor({7, 7}));
  rule.at_end();
  CHECK(bowl.w.tensor().at({0}) == 7);
}

TEST_CASE("early stopping has words for a value that never was a number, and restores nothing then") {
  Bowl bowl;
  training::EarlyStopping rule(bowl, {.patience = 2});
  CHECK_FALSE(rule.after_epoch(epoch(1, not_a_number)));
  CHECK(rule.after_epoch(epoch(2, std::numeric_limits<double>::infinity())));
  CHECK(rule.reason() == "early stopping: validation_loss was no finite number in 2 epochs");
  bowl.w.set_value(tensor({7, 7}));
  rule.at_end();
  CHECK(bowl.w.tensor().at({0}) == 7);
  training::EarlyStopping impatient(bowl, {.patience = 1, .maximize = true});
  CHECK(impatient.after_epoch(epoch(1, not_a_number)));
  CHECK(impatient.reason() == "early stopping: validation_loss was no finite number in 1 epoch");
}

TEST_CASE("any of several rules stops, all of them see everything, and each tells why") {
  Bowl bowl;
  const auto flat =
      std::make_shared<training::LossPlateau>(training::LossPlateauOptions{.below = 1, .times = 2});
  const auto limit = std::make_shared<training::EpochLimit>(3);
  const auto early =
      std::make_shared<training::EarlyStopping>(bowl, training::EarlyStoppingOptions{.patience = 2});
  training::AnyOf any({flat, limit, early});
  CHECK_FALSE(any.after_step({.loss = 1}));
  CHECK_FALSE(any.after_step({.loss = 1}));
  CHECK_FALSE(any.after_epoch(epoch(1, 5)));
  CHECK_FALSE(any.after_step({.loss = 3}));
  CHECK_FALSE(any.after_epoch(epoch(2, 6)));
  CHECK(any.after_epoch(epoch(3, 6)));
  CHECK_FALSE(flat->stopped());
  CHECK(
      any.reason() ==
      "epoch limit: 3 epochs; early stopping: validation_loss has not improved on 5 of epoch 1 for 2 epochs");
  bowl.w.set_value(tensor({7, 7}));
  any.at_end();
  CHECK(bowl.w.tensor().at({1}) == 4);
  CHECK(training::AnyOf({}).after_step({}) == false);
  CHECK(message_of<ValueError>([&] {
          return training::AnyOf({flat, nullptr});
        }) == "AnyOf: rule 1 of 2 is null");
}

TEST_CASE("rules with the state of others stop where those would") {
  for (const std::int64_t pause : {1, 3, 5}) {
    CAPTURE(pause);
    const auto rules_of = [](Bowl& bowl) {
      return std::vector<std::shared_ptr<training::StoppingRule>>{
          std::make_shared<training::ParameterChange>(bowl.parameters(), 0.1),
          std::make_shared<training::EarlyStopping>(bowl, training::EarlyStoppingOptions{.patience = 9})};
    };
    Bowl bowl;
    training::AnyOf before(rules_of(bowl));
    optim::SGD sgd(bowl.parameters(), {.lr = 0.5});
    for (std::int64_t step = 1; step <= pause; ++step) {
      sgd.zero_grad();
      bowl(zeros({1})).backward();
      sgd.step();
      CHECK_FALSE(before.after_step({.step = step}));
      before.after_epoch(epoch(step, static_cast<double>(step)));
    }
    Bowl resumed;
    training::AnyOf after(rules_of(resumed));
    resumed.load_state_dict(bowl.state_dict());
    after.load_state_dict(before.state_dict());
    CHECK(steps_until(after, resumed) == 6 - pause);
    after.at_end();
    CHECK(resumed.w.tensor().at({0}) == 1.5);  // after the first epoch
    training::AnyOf ended(rules_of(resumed));
    ended.load_state_dict(after.state_dict());
    CHECK(ended.stopped());
    CHECK(ended.reason() == after.reason());
  }
}

TEST_CASE("rules refuse options that make no rule") {
  const Bowl bowl;
  const auto of = [&](double below) {
    return message_of<ValueError>([&] { return training::GradientNorm(bowl.parameters(), below); });
  };
  CHECK(of(0) == "GradientNorm: below must be finite and positive: got 0");
  CHECK(of(not_a_number) == "GradientNorm: below must be finite and positive: got nan");
  CHECK(message_of<ValueError>([&] { return training::ParameterChange({}, 1); }) ==
        "ParameterChange: no parameters are given");
  CHECK(message_of<ValueError>([&] { return training::ParameterChange({nullptr}, 1); }) ==
        "ParameterChange: parameter 0 is an empty ref");
  CHECK(message_of<ValueError>([&] { return training::LossPlateau({.times = 0}); }) ==
        "LossPlateau: times must be at least 1: got 0");
  CHECK(message_of<ValueError>([&] { return training::EpochLimit(0); }) ==
        "EpochLimit: epochs must be at least 1: got 0");
  Bowl model;
  CHECK(message_of<ValueError>([&] { return training::EarlyStopping(model, {.patience = 0}); }) ==
        "EarlyStopping: patience must be at least 1: got 0");
  CHECK(message_of<ValueError>([&] { return training::EarlyStopping(model, {.min_delta = -1}); }) ==
        "EarlyStopping: min_delta must be finite and at least 0: got -1");
}

TEST_CASE("the norm of gradients is what clipping reports, and changes none") {
  Bowl bowl;
  bowl(zeros({1})).backward();
  CHECK(optim::grad_norm(bowl.parameters()).item() == 5);
  CHECK(optim::grad_norm(bowl.parameters(), 1).item() == 7);
  CHECK(bowl.w.grad().at({1}) == 4);
  CHECK(message_of<ValueError>([&] { return optim::grad_norm(bowl.parameters(), 0).item(); }) ==
        "grad_norm: norm_type must be positive: got 0");
}
