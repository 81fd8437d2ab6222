// Trainings whose step is captured and replayed.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/message_of.h"
#include "tests/training/small_run.h"
#include "tests/training/spirals_run.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/cross_entropy.h"
#include "xtgrad/optim/optim.h"
#include "xtgrad/training/accuracy.h"
#include "xtgrad/training/trainer.h"

using namespace xtgrad;
using testing::message_of;
using training::Trainer;
using training_test::same;
using training_test::StopAfter;

namespace {

/// 3 epochs of batches of 25, 25 and 10, with dropout, clipping, a schedule and a validation in between.
struct Run {
  explicit Run(bool replay, std::vector<std::shared_ptr<training::Callback>> callbacks = {})
      : trainer(model, nn::cross_entropy, adam,
                datasets::Loader(training_test::SmallRun::data(), {.batch_size = 25, .shuffle = true}),
                {.epochs = 3,
                 .schedule = optim::cosine({.steps = 9}),
                 .clip_norm = 0.5,
                 .replay = replay,
                 .validation = datasets::Loader(training_test::SmallRun::data(), {.batch_size = 40}),
                 .metrics = {std::make_shared<training::Accuracy>()},
                 .callbacks = std::move(callbacks)}) {}

  nn::MLP model = training_test::SmallRun::make_model();
  optim::Adam adam{model.parameters(), {.lr = 0.02, .weight_decay = 0.01}};
  Trainer trainer;
};

void check_same_records(const Trainer& a, const Trainer& b) {
  const auto of_a = a.records(), of_b = b.records();
  REQUIRE(of_a.size() == of_b.size());
  for (std::size_t i = 0; i < of_a.size(); ++i) {
    for (const auto& [name, value] : of_a[i].values) CHECK(of_b[i].at(name) == value);
  }
}

}  // namespace

TEST_CASE("a replayed training ends with the same bits") {
  Run eager(false);
  eager.trainer.fit();
  Run replayed(true);
  replayed.trainer.fit();
  CHECK(same(replayed.trainer.state_dict(), eager.trainer.state_dict()));
  check_same_records(replayed.trainer, eager.trainer);
}

TEST_CASE("a replayed training that was stopped goes on as itself, eager or not, or from its state") {
  Run whole(false);
  whole.trainer.fit();
  for (const std::int64_t stop : {0, 1, 2, 5}) {
    for (const bool replay_first : {false, true}) {
      Run first(replay_first, {std::make_shared<StopAfter>(stop)});
      CHECK_THROWS_AS(first.trainer.fit(), std::runtime_error);
      const nn::StateDict state = first.trainer.state_dict();
      Run second(!replay_first);
      second.trainer.restore(state);
      second.trainer.fit();
      CHECK(same(second.trainer.state_dict(), whole.trainer.state_dict()));
      check_same_records(second.trainer, whole.trainer);
    }
  }
}

TEST_CASE("options that were set between two calls of fit are obeyed") {
  const auto run = [](bool replay) {
    auto stop = std::make_shared<StopAfter>(4);
    auto result = std::make_unique<Run>(replay, std::vector<std::shared_ptr<training::Callback>>{stop});
    CHECK_THROWS_AS(result->trainer.fit(), std::runtime_error);
    result->model.eval();  // no dropout from here on
    *stop = StopAfter(-1);
    result->trainer.fit();
    return result;
  };
  CHECK(same(run(true)->trainer.state_dict(), run(false)->trainer.state_dict()));
}

TEST_CASE("a loss of batches, with metrics of its own labels") {
  const auto run = [](bool replay) {
    nn::MLP model = training_test::SmallRun::make_model();
    optim::SGD sgd(model.parameters(), {.lr = 0.1, .momentum = 0.9});
    const auto loss = [&](const datasets::Batch& batch) -> training::BatchResult {
      Tensor scores = model(batch.inputs);
      return {.loss = nn::cross_entropy(scores, batch.labels), .outputs = scores, .labels = batch.labels};
    };
    Trainer trainer(model, loss, sgd, datasets::Loader(training_test::SmallRun::data(), {.batch_size = 60}),
                    {.epochs = 4, .replay = replay, .metrics = {std::make_shared<training::Accuracy>()}});
    trainer.fit();
    return trainer.state_dict();
  };
  CHECK(same(run(true), run(false)));
}

TEST_CASE("what cannot be replayed is refused") {
  nn::MLP model = training_test::SmallRun::make_model();
  optim::Adam adam(model.parameters(), {.lr = 0.02});
  const datasets::Loader loader(training_test::SmallRun::data(), {.batch_size = 20});
  CHECK(message_of<ValueError>([&] {
          Trainer(model, nn::cross_entropy, adam, loader, {.epochs = 1, .accumulate = 2, .replay = true});
        }) == "Trainer: a replayed step is of one batch: got accumulate 2 and replay");
  const auto reading = [&](const datasets::Batch& batch) {
    Tensor loss = nn::cross_entropy(model(batch.inputs), batch.labels);
    return loss.item() > 100 ? loss * 0.5 : loss;
  };
  Trainer trainer(model, reading, adam, loader, {.epochs = 1, .replay = true});
  const nn::StateDict before = model.state_dict();
  CHECK(message_of<GraphError>([&] { trainer.fit(); }).starts_with("capture: item() reads a tensor"));
  CHECK(same(model.state_dict(), before));
  CHECK(trainer.step() == 0);
}

TEST_CASE("a loss that is not finite ends a replayed training before its step") {
  nn::MLP model = training_test::SmallRun::make_model();
  optim::SGD sgd(model.parameters(), {.lr = 1e30});
  Trainer trainer(model, nn::cross_entropy, sgd,
                  datasets::Loader(training_test::SmallRun::data(), {.batch_size = 20}),
                  {.epochs = 20, .replay = true});
  CHECK_THROWS_AS(trainer.fit(), NonFiniteError);
  CHECK(trainer.step() > 0);
  CHECK_FALSE(std::isfinite(trainer.last_loss()));
}
