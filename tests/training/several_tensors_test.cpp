// Trainings on batches of several tensors, by models of two inputs.
#include "xtgrad/training/batch_loss.h"

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
#include "tests/support/program.h"
#include "tests/training/small_run.h"
#include "tests/training/spirals_run.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/datasets/source.h"
#include "xtgrad/nn/dropout.h"
#include "xtgrad/nn/linear.h"
#include "xtgrad/nn/losses.h"
#include "xtgrad/optim/adam.h"
#include "xtgrad/optim/clip.h"
#include "xtgrad/optim/schedules.h"
#include "xtgrad/optim/sgd.h"
#include "xtgrad/training/accuracy.h"
#include "xtgrad/training/checkpoints.h"
#include "xtgrad/training/early_stopping.h"
#include "xtgrad/training/evaluate.h"
#include "xtgrad/training/row_log.h"
#include "xtgrad/training/tensorboard.h"
#include "xtgrad/training/trainer.h"

using namespace xtgrad;
using datasets::Batch;
using testing::message_of;
using testing::TemporaryFolder;
using training::BatchResult;
using training::Trainer;
using training_test::same;
using training_test::StopAfter;

namespace {

/// Two inputs, a label that needs both, and a weight: [3], int64 [], [2], [].
class Pairs final : public datasets::SampleSource {
 public:
  explicit Pairs(std::int64_t n, Dtype dtype = float32) {
    Random random(7);
    left_ = randn({n, 3}, random, {.dtype = dtype});
    right_ = randn({n, 2}, random, {.dtype = dtype});
    weights_ = uniform({n}, {.low = 0.5, .high = 1.5}, random, {.dtype = dtype});
    const Tensor both = slice(left_, {.axis = 1, .stop = 1}) + slice(right_, {.axis = 1, .stop = 1});
    labels_ = where(reshape(both, {n}) > 0, full({n}, 1, {.dtype = int64}), full({n}, 0, {.dtype = int64}));
  }
  [[nodiscard]] std::int64_t size() const override { return labels_.size(0); }
  [[nodiscard]] datasets::Sample get(std::int64_t index) const override {
    const auto row = [index](const Tensor& rows) { return unbind(rows)[static_cast<std::size_t>(index)]; };
    return {row(left_), row(labels_), row(right_), row(weights_)};
  }

 private:
  Tensor left_, right_, weights_, labels_;
};

struct TwoInputs : nn::ModuleOf<Tensor(const Tensor& left, const Tensor& right)> {
  nn::Linear from_left{3, 8};
  nn::Linear from_right{2, 8};
  nn::Dropout drop{{.p = 0.2}};
  nn::Linear head{8, 2};
  void members(nn::Members& m) override {
    m("from_left", from_left);
    m("from_right", from_right);
    m("drop", drop);
    m("head", head);
  }
  Tensor forward(const Tensor& left, const Tensor& right) override {
    return head(drop(tanh(from_left(left) + from_right(right))));
  }
};

TwoInputs make_model(Dtype dtype = float32) {
  manual_seed(3);
  TwoInputs model;
  model.to(dtype);
  return model;
}

/// Each sample counts by its weight.
BatchResult weighed(TwoInputs& model, const Batch& batch) {
  const Tensor scores = model(batch.inputs, batch.others.at(0));
  const Tensor items = nn::cross_entropy(scores, batch.labels, {.reduction = nn::Reduction::none});
  return {.loss = mean(items * batch.others.at(1)), .outputs = scores};
}

constexpr std::int64_t samples = 46;  // in batches of 10, the last one of 6

datasets::Loader pairs(datasets::LoaderOptions options, Dtype dtype = float32) {
  return datasets::Loader(std::make_shared<const Pairs>(samples, dtype), std::move(options));
}
datasets::Loader batches(Dtype dtype = float32) {
  return pairs({.batch_size = 10, .shuffle = true, .seed = 1}, dtype);
}

/// A training with all that has a state.
struct Run {
  explicit Run(std::int64_t accumulate = 1, std::vector<std::shared_ptr<training::Callback>> callbacks = {})
      : trainer(model, [this](const Batch& batch) { return weighed(model, batch); }, adam,
                pairs({.batch_size = 10, .shuffle = true, .seed = 1, .workers = 1}),
                {.epochs = 4,
                 .schedule = optim::cosine({.steps = 20}),
                 .accumulate = accumulate,
                 .clip_norm = 0.5,
                 .validation = pairs({.batch_size = 25}),
                 .metrics = {std::make_shared<training::Accuracy>()},
                 .stop = {std::make_shared<training::EarlyStopping>(
                     model, training::EarlyStoppingOptions{.patience = 3})},
                 .callbacks = std::move(callbacks)}) {}
  TwoInputs model = make_model();
  optim::Adam adam{model.parameters(), {.lr = 0.02}};
  Trainer trainer;
};

}  // namespace

TEST_CASE("a trainer of two inputs does what a loop by hand does, to the bit") {
  for (const Dtype dtype : {float32, float64}) {
    for (const std::int64_t accumulate : {1, 3}) {
      TwoInputs by_hand = make_model(dtype);
      optim::Adam adam(by_hand.parameters(), {.lr = 0.02});
      const optim::ScheduledLr rates(adam, optim::cosine({.steps = 20}));
      training::GradientAccumulation accumulation(adam, {.batches = accumulate, .before_step = [&] {
                                                           optim::clip_grad_norm(by_hand.parameters(), 0.5);
                                                         }});
      datasets::Loader loader = batches(dtype);
      std::int64_t step = 0;
      for (int epoch = 0; epoch < 4; ++epoch) {
        for (auto& batch : loader) {
          rates.apply(adam, step);
          if (accumulation.backward(weighed(by_hand, batch).loss, batch.inputs.size(0))) ++step;
        }
        if (accumulation.finish()) ++step;
      }
      TwoInputs model = make_model(dtype);
      optim::Adam other(model.parameters(), {.lr = 0.02});
      Trainer trainer(model, [&](const Batch& batch) { return weighed(model, batch).loss; }, other,
                      batches(dtype),
                      {.epochs = 4,
                       .schedule = optim::cosine({.steps = 20}),
                       .accumulate = accumulate,
                       .clip_norm = 0.5});
      CHECK(trainer.steps() == (accumulate == 1 ? 20 : 8));
      CHECK(trainer.samples() == samples);
      CHECK(trainer.fit() == "epoch limit: 4 epochs");
      CHECK(trainer.step() == step);
      CHECK(same(model.state_dict(), by_hand.state_dict()));
      CHECK(same(other.state_dict(), adam.state_dict()));
    }
  }
}

TEST_CASE("a training by a loss of the batch is the one by a loss of outputs and labels, where both can be") {
  training_test::SmallRun plain({});
  plain.trainer.fit();
  nn::MLP model = training_test::SmallRun::make_model();
  optim::Adam adam(model.parameters(), {.lr = 0.02});
  const auto loss = [&](const Batch& batch) -> BatchResult {
    const Tensor outputs = model(batch.inputs);
    return {.loss = nn::cross_entropy(outputs, batch.labels), .outputs = outputs};
  };
  const datasets::Dataset data = training_test::SmallRun::data();
  Trainer trainer(model, loss, adam, datasets::Loader(data, {.batch_size = 25, .shuffle = true}),
                  {.epochs = 4,
                   .validation = datasets::Loader(data, {.batch_size = 60}),
                   .metrics = {std::make_shared<training::Accuracy>()}});
  trainer.fit();
  CHECK(same(trainer.state_dict(), plain.trainer.state_dict()));
  const auto records = trainer.records(), expected = plain.trainer.records();
  REQUIRE(records.size() == 4);
  for (std::size_t epoch = 0; epoch < 4; ++epoch) {
    for (const auto& [name, value] : expected[epoch].values) CHECK(records[epoch].at(name) == value);
  }
  CHECK(&trainer.model() == &model);
  CHECK(&plain.trainer.module() == &plain.model);
}

TEST_CASE("a model of two inputs learns, and its records have metrics and validation, in use") {
  Run run;
  run.trainer.fit();
  const std::vector<training::EpochRecord> records = run.trainer.records();
  REQUIRE(records.size() == 4);
  CHECK(records[3].at("loss") < records[0].at("loss"));
  CHECK(records[3].at("validation_accuracy") > 0.8);
  const auto loss = [&](const Batch& batch) { return weighed(run.model, batch); };
  const auto accuracy = std::make_shared<training::Accuracy>();
  const auto values = training::evaluate(run.model, loss, pairs({.batch_size = 25}), {accuracy});
  REQUIRE(values.size() == 2);
  CHECK(values[0].name == "loss");
  CHECK(values[0].value == records[3].at("validation_loss"));
  CHECK(values[1].name == "accuracy");
  CHECK(values[1].value == records[3].at("validation_accuracy"));
  CHECK(run.model.drop.is_training());
  CHECK(&run.trainer.module() == &run.model);
  CHECK(message_of<ValueError>([&] { return &run.trainer.model(); }) ==
        "Trainer: model: the model must take a tensor and return one: got another, which is module()");
}

TEST_CASE("an evaluation of two inputs is that of all samples at once, whatever the batches") {
  for (const Dtype dtype : {float32, float64}) {
    TwoInputs model = make_model(dtype);
    bool recorded = false;
    const auto loss = [&](const Batch& batch) {
      recorded = recorded || is_recording() || model.drop.is_training();
      return weighed(model, batch).loss;
    };
    const auto whole = training::evaluate(model, loss, pairs({.batch_size = samples}, dtype));
    const auto parts = training::evaluate(model, loss, pairs({.batch_size = 7}, dtype));
    REQUIRE(parts.size() == 1);
    CHECK(parts[0].value == doctest::Approx(whole[0].value).epsilon(1e-6));
    CHECK_FALSE(recorded);
    const auto none = training::evaluate(
        model, loss, datasets::Loader(std::make_shared<const Pairs>(0, dtype), datasets::LoaderOptions{}));
    CHECK(std::isnan(none[0].value));
  }
}

TEST_CASE("metrics compare with the batch's labels, or with those that the loss gives") {
  TwoInputs model = make_model();
  model.eval();
  const auto accuracy_of = [&](const training::BatchLoss& loss) {
    return training::evaluate(model, loss, batches(), {std::make_shared<training::Accuracy>()})[1].value;
  };
  const double usual = accuracy_of([&](const Batch& batch) { return weighed(model, batch); });
  // The other class is right where this one is wrong.
  const double turned = accuracy_of([&](const Batch& batch) -> BatchResult {
    BatchResult result = weighed(model, batch);
    result.labels = 1 - batch.labels;
    return result;
  });
  CHECK(usual + turned == doctest::Approx(1).epsilon(1e-12));
  CHECK(usual != turned);
}

TEST_CASE("a training of two inputs that was stopped at any step and resumed ends with the same bits") {
  for (const std::int64_t accumulate : {1, 3}) {
    Run whole(accumulate);
    whole.trainer.fit();
    for (std::int64_t stop = 0; stop < whole.trainer.step(); ++stop) {
      CAPTURE(accumulate);
      CAPTURE(stop);
      Run first(accumulate, {std::make_shared<StopAfter>(stop)});
      CHECK_THROWS_AS(first.trainer.fit(), std::runtime_error);
      Run second(accumulate);
      second.trainer.restore(first.trainer.state_dict());
      CHECK(second.trainer.step() == stop);
      second.trainer.fit();
      CHECK(same(second.trainer.state_dict(), whole.trainer.state_dict()));
      const auto records = second.trainer.records(), expected = whole.trainer.records();
      REQUIRE(records.size() == expected.size());
      for (std::size_t i = 0; i < records.size(); ++i) {
        for (const auto& [name, value] : expected[i].values) CHECK(records[i].at(name) == value);
      }
    }
  }
}

TEST_CASE("checkpoints, logs and TensorBoard of a training of two inputs, which goes on from its folder") {
  const auto run_in = [](const TemporaryFolder& folder, std::int64_t stop) {
    const std::string path = folder.path().string();
    const auto checkpoints = std::make_shared<training::Checkpoints>(
        path, training::CheckpointsOptions{.every_steps = 2, .best_by = "validation_loss"});
    const auto log =
        std::make_shared<training::CsvLog>(path + "/log.csv", training::LogOptions{.times = false});
    const auto board =
        std::make_shared<training::TensorBoard>(path, training::TensorBoardOptions{.histograms = true});
    std::vector<std::shared_ptr<training::Callback>> callbacks{log, board, checkpoints};
    if (stop > 0) callbacks.push_back(std::make_shared<StopAfter>(stop));
    auto run = std::make_unique<Run>(1, std::move(callbacks));
    checkpoints->resume(run->trainer);
    if (stop > 0) {
      CHECK_THROWS_AS(run->trainer.fit(), std::runtime_error);
    } else {
      run->trainer.fit();
    }
    CHECK(testing::file_text(board->path()).find("from_right.weight") != std::string::npos);
    return run;
  };
  const TemporaryFolder whole_folder, folder;
  const auto whole = run_in(whole_folder, 0);
  run_in(folder, 12);
  const auto resumed = run_in(folder, 0);
  CHECK(same(resumed->trainer.state_dict(), whole->trainer.state_dict()));
  const std::string log = testing::file_text(folder.path() / "log.csv");
  CHECK(log == testing::file_text(whole_folder.path() / "log.csv"));
  CHECK(testing::lines_of(log).size() == 5);
}

TEST_CASE("what a training by a loss of the batch refuses") {
  TwoInputs model = make_model();
  model.eval();  // dropout's stream is part of the state
  optim::SGD sgd(model.parameters(), {.lr = 0.1});
  const auto accuracy = std::make_shared<training::Accuracy>();
  const auto fitted = [&](training::BatchLoss loss, training::TrainerOptions options) {
    return Trainer(model, std::move(loss), sgd, batches(), std::move(options)).fit();
  };
  const auto evaluated = [&](const training::BatchLoss& loss,
                             const std::vector<std::shared_ptr<training::Metric>>& metrics = {}) {
    return training::evaluate(model, loss, batches(), metrics).size();
  };
  const nn::StateDict start = model.state_dict();
  const auto alone = [&](const Batch& batch) { return weighed(model, batch).loss; };
  const std::string no_outputs =
      ": metrics look at outputs, which the loss must return with itself, as a BatchResult: got 1 metrics "
      "for a "
      "loss alone";
  CHECK(message_of<ValueError>([&] { return fitted(alone, {.epochs = 1, .metrics = {accuracy}}); }) ==
        "Trainer" + no_outputs);
  CHECK(message_of<ValueError>([&] { return evaluated(alone, {accuracy}); }) == "evaluate" + no_outputs);

  const auto without = [&](const Batch& batch) -> BatchResult { return {.loss = alone(batch)}; };
  const std::string empty_outputs =
      ": metrics look at outputs: got 1 metrics, and an empty handle for the outputs of a batch";
  CHECK(message_of<ValueError>([&] { return fitted(without, {.epochs = 1, .metrics = {accuracy}}); }) ==
        "Trainer" + empty_outputs);
  CHECK(message_of<ValueError>([&] { return evaluated(without, {accuracy}); }) == "evaluate" + empty_outputs);

  const auto none = [](const Batch&) { return Tensor(); };
  const std::string empty_loss = ": the loss must have one element: got an empty handle";
  CHECK(message_of<ValueError>([&] { return fitted(none, {.epochs = 1}); }) == "Trainer" + empty_loss);
  CHECK(message_of<ValueError>([&] { return evaluated(none); }) == "evaluate" + empty_loss);

  const auto items = [&](const Batch& batch) {
    return nn::cross_entropy(model(batch.inputs, batch.others[0]), batch.labels,
                             {.reduction = nn::Reduction::none});
  };
  CHECK(message_of<ShapeError>([&] { return fitted(items, {.epochs = 1}); }) ==
        "Trainer: the loss must have one element: got [10]");
  CHECK(message_of<ShapeError>([&] { return evaluated(items); }) ==
        "evaluate: the loss must have one element: got [10]");

  const auto infinite = [&](const Batch& batch) {
    return alone(batch) * std::numeric_limits<double>::infinity();
  };
  CHECK(message_of<NonFiniteError>([&] { return fitted(infinite, {.epochs = 1}); }) ==
        "Trainer: the loss must be finite: got inf in epoch 1, step 1, at learning rate 0.1");
  CHECK(message_of<ValueError>([&] { return evaluated(alone, {nullptr}); }) ==
        "evaluate: metric 0 of 1 is null");
  CHECK(message_of<ValueError>([&] { return fitted(Callable<Tensor(const Batch&)>(), {.epochs = 1}); }) ==
        "BatchLoss: the function is empty");
  CHECK(same(model.state_dict(), start));
}

TEST_CASE("a loss that runs a copy of the trainer's model is found out in the first step") {
  TwoInputs model = make_model();
  optim::SGD sgd(model.parameters(), {.lr = 0.1});
  const nn::StateDict start = model.state_dict();
  // Captured by value.
  const auto loss = [copy = std::make_shared<TwoInputs>(model)](const Batch& batch) {
    return weighed(*copy, batch).loss;
  };
  Trainer trainer(model, loss, sgd, batches(), {.epochs = 1});
  CHECK(message_of<ValueError>([&] { return trainer.fit(); }) ==
        "Trainer: none of the optimizer's 6 parameters got a gradient from the loss of a batch: is the model "
        "that it runs a copy of the trainer's?");
  CHECK(trainer.step() == 0);
  CHECK(same(model.state_dict(), start));

  // Part of the model is enough.
  optim::SGD of_head(model.head.parameters(), {.lr = 0.1});
  model.from_left.weight.set_requires_grad(false);
  model.from_left.bias.set_requires_grad(false);
  model.from_right.weight.set_requires_grad(false);
  model.from_right.bias.set_requires_grad(false);
  Trainer of_part(model, [&](const Batch& batch) { return weighed(model, batch).loss; }, of_head, batches(),
                  {.epochs = 1});
  of_part.fit();
  CHECK(of_part.step() == 5);
}

TEST_CASE("labels that a batch's loss computes keep no graph alive") {
  struct Watch final : training::Metric {
    [[nodiscard]] std::string name() const override { return "watch"; }
    void reset() override {}
    void update(const Tensor&, const Tensor& labels) override { wants.push_back(labels.requires_grad()); }
    [[nodiscard]] double value() const override { return 0; }
    void members(nn::Members&) override {}
    std::vector<bool> wants;
  };
  const auto watch = std::make_shared<Watch>();
  TwoInputs model = make_model();
  optim::SGD sgd(model.parameters(), {.lr = 0.01});
  const auto distilled = [&](const Batch& batch) -> BatchResult {
    const Tensor scores = model(batch.inputs, batch.others.at(0));
    return {.loss = mean(square(scores)), .outputs = scores, .labels = scores * 2.0};
  };
  Trainer(model, distilled, sgd, batches(), {.epochs = 1, .metrics = {watch}}).fit();
  CHECK(watch->wants == std::vector<bool>(5, false));
}
