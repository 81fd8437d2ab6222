// Lets every single request for memory fail of what changes several things beside an optimizer's step: each
// changes everything or nothing, and comes through once there is memory.
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "tests/autograd/failing_memory.h"
#include "tests/training/spirals_run.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/batch_norm_update.h"
#include "xtgrad/nn/linear.h"
#include "xtgrad/nn/losses.h"
#include "xtgrad/nn/sequential.h"
#include "xtgrad/optim/clip.h"
#include "xtgrad/optim/plateau.h"
#include "xtgrad/optim/scheduled_lr.h"
#include "xtgrad/optim/schedules.h"
#include "xtgrad/optim/sgd.h"
#include "xtgrad/optim/weight_average.h"
#include "xtgrad/training/accumulation.h"
#include "xtgrad/training/accuracy.h"
#include "xtgrad/training/early_stopping.h"
#include "xtgrad/training/trainer.h"

using namespace xtgrad;
using namespace xtgrad::testing;
using training_test::same;

namespace {

struct World {
  World() {
    sgd.add_group({model.at<nn::Linear>(2).weight.cell()}, {.lr = 0.5});
    step(1);
    average.update();
    step(2);
  }
  void step(double scale) {
    sgd.zero_grad();
    sum(square(model(full({4, 2}, scale)) - tensor({1, 2, 3}) * full({4, 1}, scale))).backward();
    sgd.step();
  }
  /// All that may change, as copies: nothing of the world is held.
  [[nodiscard]] std::vector<Tensor> all() {
    std::vector<Tensor> result;
    const auto keep = [&](const nn::StateDict& state) {
      for (const auto& [name, value] : state) result.push_back(concat({reshape(value, {-1})}, 0));
    };
    keep(model.state_dict());
    keep(sgd.state_dict());
    keep(average.state_dict());
    keep(plateau.state_dict());
    keep(early.state_dict());
    for (const nn::ParameterRef& parameter : model.parameters()) result.push_back(parameter->grad() + 0.0);
    for (nn::Module& layer : model) result.push_back(tensor({layer.is_training() ? 1.0 : 0.0}));
    return result;
  }

  nn::Sequential model = [] {
    manual_seed(3);
    return nn::Sequential(nn::Linear(2, 4), nn::BatchNorm1d({.num_features = 4}), nn::Linear(4, 3));
  }();
  optim::SGD sgd{{model.at<nn::Linear>(0).weight.cell(), model.at<nn::Linear>(0).bias.cell()}, {.lr = 0.1}};
  optim::WeightAverage average{model.parameters(), {.decay = 0.5}};
  optim::ReduceOnPlateau plateau{{.factor = 0.5, .patience = 0}};
  training::EarlyStopping early{model, {.watch = "loss"}};
};

bool equal(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!same_bits(a[i], b[i])) return false;
  }
  return a.size() == b.size();
}

template <class Prepare, class Act>
void walk_all_or_nothing(Prepare prepare, Act act, long at_least) {
  World done;
  prepare(done);
  act(done);
  const std::vector<Tensor> want = done.all();
  for (const bool ever_after : {false, true}) {
    long n = 0;
    for (bool more = true; more; ++n) {
      CAPTURE(n);
      CAPTURE(ever_after);
      World world;
      prepare(world);
      const std::vector<Tensor> before = world.all();
      more = fails_at(n, PoolRequest::block, ever_after, [&] { act(world); });
      if (more) {
        REQUIRE(equal(before, world.all()));
        act(world);
      }
      REQUIRE(equal(want, world.all()));
    }
    CHECK(n > at_least);
  }
}

void nothing(World&) {}

}  // namespace

TEST_CASE("learning rates of all groups change, or none") {
  walk_all_or_nothing(
      nothing, [](World& world) { world.sgd.set_lr(0.25); }, 0);
  const optim::ScheduledLr rates({0.1, 0.5}, optim::exponential(0.5));
  walk_all_or_nothing(
      nothing, [&](World& world) { rates.apply(world.sgd, 3); }, 2);
  walk_all_or_nothing([](World& world) { world.plateau.update(world.sgd, 1); },
                      [](World& world) { world.plateau.update(world.sgd, 2); }, 2);
}

TEST_CASE("averages of all parameters change, or none, and so do the parameters that take them") {
  walk_all_or_nothing(
      nothing, [](World& world) { world.average.update(); }, 5);
  walk_all_or_nothing(
      nothing, [](World& world) { world.average.copy_to_parameters(); }, 5);
}

TEST_CASE("gradients of all parameters are clipped, or none") {
  walk_all_or_nothing(
      nothing, [](World& world) { optim::clip_grad_norm(world.model.parameters(), 0.125); }, 5);
  walk_all_or_nothing(
      nothing, [](World& world) { optim::clip_grad_value(world.model.parameters(), 0.125); }, 5);
}

TEST_CASE("early stopping takes an epoch in, with the model's state, or does not") {
  walk_all_or_nothing(
      nothing,
      [](World& world) {
        world.early.after_epoch({.epoch = 1, .values = {{"loss", 3}}});
      },
      5);
}

TEST_CASE("a model's parts change their mode, all or none") {
  walk_all_or_nothing(
      nothing, [](World& world) { world.model.eval(); }, 1);
}

TEST_CASE("running statistics move together with their count, and begin anew in all layers or in none") {
  walk_all_or_nothing(
      nothing,
      [](World& world) {
        const NoGrad no_grad;
        static_cast<void>(world.model.at<nn::BatchNorm1d>(1)(tensor({{1, 2, 3, 4}, {3, 2, 5, 7}})));
      },
      5);
  walk_all_or_nothing(
      [](World& world) { world.model.at<nn::BatchNorm1d>(1).set_momentum(std::nullopt); },
      [](World& world) {
        const NoGrad no_grad;
        static_cast<void>(world.model.at<nn::BatchNorm1d>(1)(tensor({{1, 2, 3, 4}, {3, 2, 5, 7}})));
      },
      5);
  walk_all_or_nothing([](World& world) { world.model.eval(); },
                      [](World& world) { const nn::BatchNormUpdate update(world.model); }, 5);
}

namespace {

/// Remembers the model after each step.
class Watch final : public training::Callback {
 public:
  std::vector<nn::StateDict> after{1};
  void begin(training::Trainer& trainer) override { after[0] = trainer.model().state_dict(); }
  void after_step(training::Trainer& trainer, const training::StepRecord&) override {
    after.push_back(trainer.model().state_dict());
  }
};

/// A training of two epochs, without draws.
struct Training {
  explicit Training(std::int64_t accumulate, std::vector<std::shared_ptr<training::Callback>> callbacks = {})
      : trainer(model, nn::cross_entropy, sgd, training_test::loader(),
                {.epochs = 2,
                 .schedule = optim::exponential(0.9),
                 .accumulate = accumulate,
                 .clip_norm = 0.5,
                 .metrics = {std::make_shared<training::Accuracy>()},
                 .callbacks = std::move(callbacks)}) {}
  nn::MLP model = [] {
    manual_seed(3);
    return nn::MLP({.sizes = {2, 4, 3}});
  }();
  optim::SGD sgd{model.parameters(), {.lr = 0.1, .momentum = 0.9}};
  training::Trainer trainer;
};

}  // namespace

TEST_CASE("a step of a training is made and counted, or neither, wherever memory runs out") {
  for (const std::int64_t accumulate : {1, 4}) {
    const auto watch = std::make_shared<Watch>();
    Training whole(accumulate, {watch});
    whole.trainer.fit();
    REQUIRE(watch->after.size() == static_cast<std::size_t>(whole.trainer.steps()) + 1);
    long failures = 0;
    bool more = true;
    for (long n = 0; more; n += 7) {
      CAPTURE(accumulate);
      CAPTURE(n);
      Training training(accumulate);
      more = fails_at(n, PoolRequest::block, false, [&] { training.trainer.fit(); });
      REQUIRE(
          same(training.model.state_dict(), watch->after[static_cast<std::size_t>(training.trainer.step())]));
      if (!more) break;
      ++failures;
      training.trainer.fit();
      REQUIRE(training.trainer.epoch() == 2);
      REQUIRE(same(training.model.state_dict(), watch->after.back()));
    }
    CHECK(failures > 100);
  }
}
