// The code of docs/training.md.
#include <doctest/doctest.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/program.h"
#include "xtgrad/datasets/source.h"
#include "xtgrad/datasets/synthetic.h"
#include "xtgrad/nn/nn.h"
#include "xtgrad/optim/lbfgs.h"
#include "xtgrad/optim/optim.h"
#include "xtgrad/training/training.h"
#include "xtgrad/xtgrad.h"

using namespace xtgrad;

namespace {

datasets::TrainTest points() {
  return datasets::stratified_split(datasets::spirals({.classes = 3, .per_class = 40, .seed = 1}));
}

/// Points in a circle, class 1, and around it.
datasets::TrainTest two_classes() {
  Random random(3);
  const Tensor x = randn({120, 2}, random);
  const Tensor inside = less(sum(square(x), {.axes = {1}}), 1.4).to(float32);
  return datasets::random_split(datasets::Dataset({.inputs = x, .labels = inside}));
}

}  // namespace

TEST_CASE("docs/training.md: the trainer") {
  const auto [train, test] = points();
  nn::MLP model({.sizes = {2, 32, 3}});
  optim::Adam adam(model.parameters(), {.lr = 0.02});
  datasets::Loader loader(train, {.batch_size = 16, .shuffle = true});
  training::Trainer trainer(model, nn::cross_entropy, adam, loader,
                            {.epochs = 20,
                             .schedule = optim::cosine({.steps = 20 * loader.batches()}),
                             .clip_norm = 1.0,
                             .validation = datasets::Loader(test, {.batch_size = 100}),
                             .metrics = {std::make_shared<training::Accuracy>()},
                             .stop = {std::make_shared<training::EarlyStopping>(model)}});
  const std::string reason = trainer.fit();
  const double best = trainer.records().back().at("validation_accuracy");
  CHECK(reason.find("e") != std::string::npos);
  CHECK(best > 0.4);
}

namespace {

/// The digits two by two, and whether they are the same: [1, 8, 8], int64 [], [1, 8, 8].
class Pairs final : public datasets::SampleSource {
 public:
  explicit Pairs(const datasets::Dataset& digits)
      : images_(unbind(digits.inputs())), labels_(digits.labels()) {}
  std::int64_t size() const override { return static_cast<std::int64_t>(images_.size()) / 2; }
  datasets::Sample get(std::int64_t index) const override {
    const auto left = static_cast<std::size_t>(2 * index);
    const bool same = labels_.at_int64({2 * index}) == labels_.at_int64({2 * index + 1});
    return {images_[left], full({}, same ? 1 : 0, {.dtype = int64}), images_[left + 1]};
  }

 private:
  std::vector<Tensor> images_;
  Tensor labels_;
};

struct SameDigit : nn::ModuleOf<Tensor(const Tensor& left, const Tensor& right)> {
  nn::Linear look{64, 16};
  nn::Linear compare{16, 2};
  void members(nn::Members& m) override { m("look", look), m("compare", compare); }
  Tensor forward(const Tensor& left, const Tensor& right) override {
    return compare(square(look(flatten(left, 1)) - look(flatten(right, 1))));  // [b, 2]
  }
};

}  // namespace

TEST_CASE("docs/training.md: batches of several tensors") {
  const auto [train_digits, test_digits] = datasets::stratified_split(datasets::digits({.image = true}));
  const auto train = std::make_shared<const Pairs>(train_digits);
  const auto test = std::make_shared<const Pairs>(test_digits);
  manual_seed(1);
  SameDigit model;
  optim::Adam adam(model.parameters(), {.lr = 0.01});
  const auto loss = [&](const datasets::Batch& batch) -> training::BatchResult {
    const Tensor scores = model(batch.inputs, batch.others.at(0));
    return {.loss = nn::cross_entropy(scores, batch.labels), .outputs = scores};
  };
  training::Trainer trainer(model, loss, adam, datasets::Loader(train, {.batch_size = 32, .shuffle = true}),
                            {.epochs = 5,
                             .validation = datasets::Loader(test, {.batch_size = 100}),
                             .metrics = {std::make_shared<training::Accuracy>()}});
  trainer.fit();
  const auto values =
      training::evaluate(model, loss, datasets::Loader(test), {std::make_shared<training::Accuracy>()});
  CHECK(values[0].value < trainer.records()[0].at("validation_loss"));
  CHECK(values[1].value == trainer.records().back().at("validation_accuracy"));
}

TEST_CASE("docs/training.md: metrics") {
  const auto [train, test] = points();
  nn::MLP model({.sizes = {2, 32, 3}});
  training::ConfusionMatrix matrix({.classes = 3});
  for (auto& [x, y] : datasets::Loader(test, {.batch_size = 10})) matrix.update(model(x), y);
  const double recall_of_2 = matrix.recall(2);
  const double macro = matrix.f1();
  const double micro = matrix.f1(training::Average::micro);
  CHECK(matrix.samples() == test.size());
  CHECK(recall_of_2 <= 1);
  CHECK(macro <= 1);
  CHECK(micro == matrix.accuracy());
}

TEST_CASE("docs/training.md: metrics of two classes") {
  const auto [train, test] = two_classes();
  manual_seed(1);
  nn::MLP model({.sizes = {2, 16, 1}});
  optim::Adam adam(model.parameters(), {.lr = 0.02});
  const datasets::Loader loader(train, {.batch_size = 16, .shuffle = true});
  const auto loss = [](const Tensor& logits, const Tensor& labels) {
    return nn::bce_with_logits(reshape(logits, labels.shape()), labels);  // labels of 0 and 1, in float32
  };
  const training::ClassScoreOptions positive{.classes = 2, .threshold = 0, .of_class = 1};
  training::Trainer trainer(
      model, loss, adam, loader,
      {.epochs = 20,
       .validation = datasets::Loader(test),
       .metrics = {std::make_shared<training::Accuracy>(training::AccuracyOptions{.threshold = 0})},
       .validation_metrics = {std::make_shared<training::Precision>(positive),
                              std::make_shared<training::Recall>(positive)}});
  trainer.fit();
  const double found = trainer.records().back().at("validation_recall_of_1");
  CHECK(found > 0.5);
  CHECK(trainer.records().back().at("accuracy") > 0.6);
}

TEST_CASE("docs/training.md: rules in a loop of one's own") {
  manual_seed(0);
  Random random(1);
  nn::Linear model(3, 1);
  const Tensor x = randn({20, 3}, random);
  const Tensor y = randn({20, 1}, random);
  optim::SGD sgd(model.parameters(), {.lr = 0.3});
  training::AnyOf stop(
      {std::make_shared<training::GradientNorm>(model.parameters(), 1e-3),
       std::make_shared<training::ParameterChange>(model.parameters(), 1e-6),
       std::make_shared<training::LossPlateau>(training::LossPlateauOptions{.below = 1e-9, .times = 5})});
  for (std::int64_t step = 1; !stop.stopped(); ++step) {
    const Tensor loss = nn::mse_loss(model(x), y);
    sgd.zero_grad();
    loss.backward();
    sgd.step();
    stop.after_step({.step = step, .loss = loss.item()});
  }
  fmt::print("{}\n", stop.reason());  // gradient norm: 0.000804 is below 0.001 at step 20
  CHECK(stop.reason().starts_with("gradient norm: "));
}

TEST_CASE("docs/training.md: L-BFGS in a loop of one's own, and not in a trainer") {
  manual_seed(0);
  const auto [train, test] = points();
  nn::MLP model({.sizes = {2, 16, 3}, .activation = nn::ActivationKind::tanh});
  const Tensor x = train.inputs(), y = train.labels();
  optim::LBFGS lbfgs(model.parameters(), {.line_search = optim::LineSearch::strong_wolfe});
  training::LossPlateau stop({.below = 1e-4, .times = 1});
  for (std::int64_t number = 1; number <= 50 && !stop.stopped(); ++number) {
    const optim::LBFGSStep step = lbfgs.step([&] { return nn::cross_entropy(model(x), y); });
    stop.after_step({.step = number, .loss = step.loss});
  }
  CHECK(nn::cross_entropy(model(x), y).item() < 0.1);

  datasets::Loader loader(train, {.batch_size = train.size()});
  training::Trainer trainer(model, nn::cross_entropy, lbfgs, loader, {.epochs = 1});
  CHECK_THROWS_WITH_AS(
      trainer.fit(), doctest::Contains("LBFGS: step: it evaluates the loss at several points: "), ValueError);
}

TEST_CASE("docs/training.md: accumulation") {
  const auto [train, test] = points();
  nn::MLP model({.sizes = {2, 32, 3}});
  optim::Adam adam(model.parameters(), {});
  datasets::Loader loader(train, {.batch_size = 10});
  training::GradientAccumulation accumulation(adam, {.batches = 4});
  for (auto& [x, y] : loader) accumulation.backward(nn::cross_entropy(model(x), y), x.size(0));
  accumulation.finish();  // the last step may have fewer batches
  CHECK(accumulation.waiting() == 0);
}

TEST_CASE("docs/training.md: checkpoints and logs") {
  const testing::TemporaryFolder temporary;
  const std::string folder = temporary.path().string();
  const auto [train, test] = points();
  nn::MLP model({.sizes = {2, 32, 3}, .dropout = 0.2});
  optim::Adam adam(model.parameters(), {.lr = 0.02});
  datasets::Loader loader(train, {.batch_size = 16, .shuffle = true});
  auto checkpoints = std::make_shared<training::Checkpoints>(
      folder, training::CheckpointsOptions{.keep_last = 3, .best_by = "loss", .made_with = {{"lr", "0.02"}}});
  training::Trainer trainer(model, nn::cross_entropy, adam, loader,
                            {.epochs = 5,
                             .callbacks = {std::make_shared<training::Progress>(),
                                           std::make_shared<training::CsvLog>(folder + "/log.csv"),
                                           std::make_shared<training::JsonLinesLog>(folder + "/log.jsonl"),
                                           std::make_shared<training::TensorBoard>(folder), checkpoints}});
  checkpoints->resume(trainer);  // where there is something to go on from
  trainer.fit();
  CHECK(checkpoints->steps().size() == 3);
  CHECK(std::filesystem::exists(folder + "/log.csv"));
}

namespace {

class StopWhenTired final : public training::Callback {
 public:
  void after_epoch(training::Trainer& trainer, const training::EpochRecord& epoch) override {
    fmt::print("{} of {}: {:.3f}\n", epoch.epoch, trainer.epochs(), epoch.at("loss"));
    if (epoch.seconds > 3600) throw std::runtime_error("an epoch takes more than an hour");
  }
};

}  // namespace

TEST_CASE("docs/training.md: a callback of one's own") {
  const auto [train, test] = points();
  nn::MLP model({.sizes = {2, 32, 3}});
  optim::Adam adam(model.parameters(), {});
  training::Trainer trainer(model, nn::cross_entropy, adam, datasets::Loader(train),
                            {.epochs = 2, .callbacks = {std::make_shared<StopWhenTired>()}});
  CHECK(trainer.fit() == "epoch limit: 2 epochs");
}

namespace {

class CycleMomentum final : public training::Callback {
 public:
  CycleMomentum(optim::SGD& sgd, const optim::OneCycleOptions& cycle) : sgd_(sgd), cycle_(cycle) {}
  void before_step(training::Trainer& trainer) override {
    optim::SGDOptions now = sgd_.options();  // with the rate as it is now
    now.momentum = optim::one_cycle_momentum(cycle_, trainer.step());
    sgd_.set_options(now);
  }

 private:
  optim::SGD& sgd_;
  optim::OneCycleOptions cycle_;
};

/// Notes momentum and rate of each step.
class Watch final : public training::Callback {
 public:
  explicit Watch(optim::SGD& sgd) : sgd_(sgd) {}
  void after_step(training::Trainer& /*trainer*/, const training::StepRecord& /*step*/) override {
    momenta.push_back(sgd_.options().momentum.value());
    rates.push_back(sgd_.lr());
  }
  std::vector<double> momenta, rates;

 private:
  optim::SGD& sgd_;
};

}  // namespace

TEST_CASE("docs/training.md: one cycle of rate and momentum") {
  const auto [train, test] = points();
  manual_seed(2);
  nn::MLP model({.sizes = {2, 32, 3}});
  datasets::Loader loader(train, {.batch_size = 16, .shuffle = true});
  const optim::OneCycleOptions cycle{.steps = 20 * loader.batches()};
  optim::SGD sgd(model.parameters(), {.lr = 0.5, .momentum = 0.95});  // the highest rate
  const auto watch = std::make_shared<Watch>(sgd);
  training::Trainer trainer(model, nn::cross_entropy, sgd, loader,
                            {.epochs = 20,
                             .schedule = optim::one_cycle(cycle),
                             .callbacks = {std::make_shared<CycleMomentum>(sgd, cycle), watch}});
  trainer.fit();
  REQUIRE(watch->momenta.size() == static_cast<std::size_t>(cycle.steps));
  for (std::int64_t step = 0; step < cycle.steps; ++step) {
    const auto k = static_cast<std::size_t>(step);
    CHECK(watch->momenta[k] == optim::one_cycle_momentum(cycle, step));
    CHECK(watch->rates[k] == 0.5 * optim::one_cycle(cycle).factor(step));
  }
  CHECK(*std::ranges::min_element(watch->momenta) < 0.86);
  CHECK(trainer.records().back().at("loss") < trainer.records().front().at("loss"));
}

namespace {

class ReduceRate final : public training::Callback {
 public:
  ReduceRate(optim::Optimizer& optimizer, optim::ReduceOnPlateau& plateau)
      : optimizer_(optimizer), plateau_(plateau) {}
  void after_epoch(training::Trainer& /*trainer*/, const training::EpochRecord& epoch) override {
    plateau_.update(optimizer_, epoch.at("validation_loss"));
  }

 private:
  optim::Optimizer& optimizer_;
  optim::ReduceOnPlateau& plateau_;
};

}  // namespace

TEST_CASE("docs/training.md: a rate that falls where the validation loss stays") {
  const auto [train, test] = points();
  const auto run = [&, &train = train, &test = test](std::int64_t epochs, const nn::StateDict* state) {
    manual_seed(2);
    nn::MLP model({.sizes = {2, 8, 3}});
    optim::SGD sgd(model.parameters(), {.lr = 0.5});
    datasets::Loader loader(train, {.batch_size = 16, .shuffle = true});
    optim::ReduceOnPlateau plateau({.factor = 0.5, .patience = 0, .threshold = 0.2});
    training::Trainer trainer(model, nn::cross_entropy, sgd, loader,
                              {.epochs = epochs,
                               .validation = datasets::Loader(test),
                               .callbacks = {std::make_shared<ReduceRate>(sgd, plateau)}});
    trainer.remember("plateau", plateau);  // its best and its count are part of the trainer's state
    if (state != nullptr) trainer.restore(*state);
    trainer.fit();
    CHECK(sgd.lr() < 0.5);
    return trainer.state_dict();
  };
  const nn::StateDict whole = run(12, nullptr), half = run(6, nullptr), resumed = run(12, &half);
  for (const char* name : {"parts.plateau.best", "optimizer.groups.0.lr", "model.layers.0.weight"}) {
    CAPTURE(name);
    CHECK(sum(not_equal(whole.at(name), resumed.at(name)).to(int64)).item_int64() == 0);
  }
}
