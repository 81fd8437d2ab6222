#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/datasets/loader.h"
#include "xtgrad/nn/members.h"
#include "xtgrad/nn/module.h"
#include "xtgrad/nn/module_base.h"
#include "xtgrad/nn/options.h"
#include "xtgrad/optim/optimizer.h"
#include "xtgrad/optim/schedule.h"
#include "xtgrad/optim/scheduled_lr.h"
#include "xtgrad/training/accumulation.h"
#include "xtgrad/training/batch_loss.h"
#include "xtgrad/training/callback.h"
#include "xtgrad/training/history.h"
#include "xtgrad/training/loss.h"
#include "xtgrad/training/metric.h"
#include "xtgrad/training/records.h"
#include "xtgrad/training/stopping_rule.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace training {

namespace detail {
class XTGRAD_LOCAL ReplayedStep;
}

struct TrainerOptions {
  std::int64_t epochs = nn::required;  ///< at most, at least 1
  /// Of the learning rate, by optimizer's steps, from 0; absent: the optimizer's own rates.
  std::optional<optim::Schedule> schedule = std::nullopt;
  std::int64_t accumulate = 1;                     ///< batches to a step; see GradientAccumulation
  std::optional<double> clip_norm = std::nullopt;  ///< of all gradients; see optim::clip_grad_norm
  /// Captures the step at its first batch and replays it, to the same bits (docs/programs.md): for small
  /// models, of which most of a step is bookkeeping. Wants `accumulate` 1, and a model, a loss and an
  /// optimizer that can be captured. A loss that is refused has left its gradients.
  bool replay = false;
  /// Looked at after every epoch; its order does not matter.
  std::optional<datasets::Loader> validation = std::nullopt;
  std::vector<std::shared_ptr<Metric>> metrics = {};  ///< of training and validation
  /// Of the validation alone: where the batches of the training are mixed or augmented, say.
  std::vector<std::shared_ptr<Metric>> validation_metrics = {};
  std::vector<std::shared_ptr<StoppingRule>> stop = {};   ///< any of them ends the training
  std::vector<std::shared_ptr<Callback>> callbacks = {};  ///< called in this order
};

/// The usual training loop, at any step of it.
///
///   nn::MLP model({.sizes = {64, 128, 10}});
///   optim::Adam adam(model.parameters(), {.lr = 1e-3});
///   datasets::Loader loader(train, {.batch_size = 32, .shuffle = true});
///   training::Trainer trainer(model, nn::cross_entropy, adam, loader, {.epochs = 30});
///   trainer.fit();
///
/// Batches of several tensors, and models of another signature, take a loss of the batch, which runs the
/// model itself:
///
///   const auto loss = [&](const datasets::Batch& batch) {
///     return nn::mse_loss(model(batch.inputs, batch.others[0]), batch.labels);
///   };
///   training::Trainer trainer(model, loss, adam, loader, {.epochs = 30});
///
/// What it lists as its members is all that it needs to go on from where it stands: model, optimizer, this
/// thread's default random stream, steps, place in the epoch, metrics, stopping rules, records. One with the
/// state of another goes the same way, bit by bit; so a state has the settings that decide about them, too:
/// "options.accumulate", "options.clip_norm", those of the loader, such as "options.batch_size", and the
/// learning rates that the schedule gives at some of the steps. Whoever needs another loop writes one:
/// metrics, rules, accumulation and `evaluate` know no trainer.
class Trainer : public nn::Stateful {
 public:
  /// Model and optimizer must outlive it; the loader's epochs are counted anew. Throws ValueError for options
  /// out of range, null pointers, metrics of one name, metrics of a validation that there is not, a rule that
  /// looks at a value which epochs will not have, a loader or a validation loader without batches, and an
  /// optimizer that holds none of the model's parameters.
  Trainer(nn::Module& model, Loss loss, optim::Optimizer& optimizer, const datasets::Loader& loader,
          TrainerOptions options);
  /// The same for a loss of batches, which trains and validates `model`; whatever it captures must outlive
  /// the trainer. A batch's first tensor has a row for each sample. Throws ValueError, too, for metrics where
  /// the loss gives no outputs.
  Trainer(nn::ModuleBase& model, BatchLoss loss, optim::Optimizer& optimizer, const datasets::Loader& loader,
          TrainerOptions options);
  ~Trainer();
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  /// Trains from where it stands until a rule stops it, and says which, with its reason, such as
  /// "epoch limit: 30 epochs". Throws NonFiniteError, before the step, if a loss is infinite or NaN, and what
  /// callbacks throw; it may be called again after that. A metric that throws leaves its batch out. Modes are
  /// left as they are: a model that was told to `eval` is trained without dropout. Throws ValueError where
  /// the first step's loss of a batch gave none of the optimizer's parameters a gradient: it is of another
  /// model. The optimizer has made that step, which is not counted.
  std::string fit();

  /// Makes something else part of the state, such as an average of weights, by a name of its own; it must
  /// outlive the trainer. Throws ValueError for a name that is taken.
  void remember(std::string name, nn::Stateful& object);

  void members(nn::Members& m) override;
  void check_loaded() const override;
  /// Takes over a state. Throws ValueError, and changes nothing, for one that is not of such a training, or
  /// of one with other settings, as `load_state_dict` does without the option to adopt them. With it the
  /// optimizer's options, `accumulate`, `clip_norm` and those of the rules become the state's. A schedule is
  /// a function, which no state has: the training then goes on with the trainer's own. A loader of other
  /// batches is refused in any case. `load_state_dict` of a trainer that has records wants as many.
  void restore(const nn::StateDict& state, const nn::LoadOptions& options = {});

  /// Optimizer's steps that are done, of at most `steps()` in all.
  [[nodiscard]] std::int64_t step() const { return step_; }
  [[nodiscard]] std::int64_t steps() const;
  /// Epochs that are done, of at most `epochs()`.
  [[nodiscard]] std::int64_t epoch() const { return epoch_; }
  [[nodiscard]] std::int64_t epochs() const { return options_.epochs; }
  /// Batches of the epoch under way that are done.
  [[nodiscard]] std::int64_t batch() const { return batch_; }
  /// Samples in an epoch.
  [[nodiscard]] std::int64_t samples() const;
  /// Mean over the samples of the last step, or the loss that was refused.
  [[nodiscard]] double last_loss() const { return last_loss_; }
  /// What the epochs that are done came to.
  [[nodiscard]] std::vector<EpochRecord> records() const { return history_.records(); }
  /// What the values of an epoch's record are called: "loss", the metrics' names, and both with "validation_"
  /// before them if there is a validation, and the names of its own metrics.
  [[nodiscard]] std::vector<std::string> value_names() const;
  /// Why the training is over; empty if it is not.
  [[nodiscard]] std::string reason() const;

  /// Throws ValueError for one of another signature, which is `module()`.
  [[nodiscard]] nn::Module& model() const;
  [[nodiscard]] nn::ModuleBase& module() const { return module_; }
  [[nodiscard]] optim::Optimizer& optimizer() const { return optimizer_; }
  [[nodiscard]] const datasets::Loader& loader() const& { return loader_; }
  [[nodiscard]] datasets::Loader loader() const&& { return loader_; }

 private:
  /// A batch that a step was made of.
  struct Seen {
    Tensor outputs;
    Tensor labels;
    double loss;
    std::int64_t samples;
  };

  void check_options() const;
  [[nodiscard]] GradientAccumulation& accumulation() const;
  void train_epoch();
  void train_step(datasets::Loader::Iterator& at);
  void check_reach();
  void take_in_step();
  [[nodiscard]] std::vector<NamedValue> validate();
  void end_epoch();
  void update_values();
  void tell_step();
  [[nodiscard]] bool is_over() const;

  nn::ModuleBase& module_;
  BatchLoss loss_;
  bool reaches_ = false;  // the loss is known to be of the optimizer's parameters
  optim::Optimizer& optimizer_;
  datasets::Loader loader_;
  TrainerOptions options_;
  std::optional<optim::ScheduledLr> rates_;
  std::shared_ptr<const void> stepping_;         // how batches become steps: a load may put it back
  std::shared_ptr<const void> loader_settings_;  // nothing: a loader is not made of a state
  Tensor rates_table_;                           // the schedule's rates at some of the steps
  AnyOf stop_;
  History history_;
  struct Part {
    std::string name;
    nn::Stateful* object;
  };
  std::vector<Part> parts_;

  std::int64_t step_ = 0;
  std::int64_t epoch_ = 0;
  std::int64_t batch_ = 0;
  std::int64_t samples_ = 0;      // of this epoch
  Tensor loss_sum_;               // float64 [], over them
  std::int64_t nanoseconds_ = 0;  // of this epoch
  double last_loss_ = 0;
  std::unique_ptr<detail::ReplayedStep> replayed_;  // of this fit, if it is to be
  std::vector<Seen> seen_;                          // of the step under way
  std::vector<NamedValue> values_;                  // of this epoch so far
};

}}}  // namespace xtgrad::v1::training
