#pragma once

#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "xtgrad/autograd/random.h"
#include "xtgrad/datasets/synthetic.h"
#include "xtgrad/nn/losses.h"
#include "xtgrad/nn/mlp.h"
#include "xtgrad/optim/adam.h"
#include "xtgrad/training/accuracy.h"
#include "xtgrad/training/trainer.h"

namespace training_test {

/// Throws before the step after so many.
class StopAfter final : public xtgrad::training::Callback {
 public:
  explicit StopAfter(std::int64_t steps) : steps_(steps) {}
  void before_step(xtgrad::training::Trainer& trainer) override {
    if (trainer.step() == steps_) throw std::runtime_error("stopped");
  }

 private:
  std::int64_t steps_;
};

/// A training of 4 epochs of 3 steps, with dropout, that is the same every time.
struct SmallRun {
  using Rules = std::vector<std::shared_ptr<xtgrad::training::StoppingRule>>;

  explicit SmallRun(std::vector<std::shared_ptr<xtgrad::training::Callback>> callbacks,
                    std::int64_t epochs = 4, const xtgrad::Callable<Rules(xtgrad::nn::MLP&)>& rules = nullptr)
      : trainer(model, xtgrad::nn::cross_entropy, adam,
                xtgrad::datasets::Loader(data(), {.batch_size = 25, .shuffle = true}),
                {.epochs = epochs,
                 .validation = xtgrad::datasets::Loader(data(), {.batch_size = 60}),
                 .metrics = {std::make_shared<xtgrad::training::Accuracy>()},
                 .stop = rules ? rules(model) : Rules{},
                 .callbacks = std::move(callbacks)}) {}

  static xtgrad::datasets::Dataset data() {
    return xtgrad::datasets::spirals({.classes = 3, .per_class = 20, .seed = 5});
  }
  static xtgrad::nn::MLP make_model() {
    xtgrad::manual_seed(3);
    return xtgrad::nn::MLP({.sizes = {2, 8, 3}, .dropout = 0.2});
  }

  xtgrad::nn::MLP model = make_model();
  xtgrad::optim::Adam adam{model.parameters(), {.lr = 0.02}};
  xtgrad::training::Trainer trainer;
};

}  // namespace training_test
