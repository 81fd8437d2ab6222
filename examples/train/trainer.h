#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "data.h"
#include "model.h"
#include "options.h"
#include "progress.h"
#include "xtgrad/datasets/loader.h"
#include "xtgrad/nn/members.h"
#include "xtgrad/optim/schedules.h"

namespace train {

/// A training, at any step of it. What it lists as its members is all that it needs to go on from there: one
/// with the state of another goes the same way, bit by bit.
class Trainer : public xtgrad::nn::Stateful {
 public:
  /// Trains the classifier, which outlives it, on `data.train`, and looks at `data.validation` after every
  /// epoch. Throws std::invalid_argument for options that make no training.
  Trainer(Classifier& classifier, const Splits& data, const Options& options);

  void members(xtgrad::nn::Members& m) override;
  /// Takes over a state. Throws xtgrad::ValueError for one that is not of such a training.
  void restore(const xtgrad::nn::StateDict& state);

  /// Trains from where it stands to the end, and calls `after_step` after each step. Throws
  /// std::runtime_error if the loss stops being a number, and Interrupted; it may be called again after that.
  void fit(Progress& progress, const std::function<void()>& after_step);

  /// Steps that are done, of `steps()` in all.
  [[nodiscard]] std::int64_t step() const { return epoch_ * loader_.batches() + batch_; }
  [[nodiscard]] std::int64_t steps() const { return epochs_ * loader_.batches(); }
  /// Epochs that are done.
  [[nodiscard]] std::int64_t epoch() const { return epoch_; }
  /// Batches of the epoch under way that are done.
  [[nodiscard]] std::int64_t batch() const { return batch_; }
  [[nodiscard]] std::int64_t batches() const { return loader_.batches(); }
  /// What the epochs that are done came to.
  [[nodiscard]] std::vector<EpochRecord> records() const;

 private:
  void train_step(const xtgrad::datasets::Batch& batch);
  void train_epoch(Progress& progress, const std::function<void()>& after_step);
  void end_epoch(Progress& progress);
  void check_state() const;

  Classifier& classifier_;
  xtgrad::datasets::Dataset validation_;
  xtgrad::datasets::Loader loader_;
  std::unique_ptr<xtgrad::optim::Optimizer> optimizer_;
  xtgrad::optim::ScheduledLr rates_;
  std::int64_t epochs_;

  std::int64_t epoch_ = 0;
  std::int64_t batch_ = 0;
  std::int64_t samples_ = 0;      // of this epoch, of which
  std::int64_t correct_ = 0;      // so many got the right class
  xtgrad::Tensor loss_sum_;       // float64 [], over them
  std::int64_t nanoseconds_ = 0;  // of this epoch
  xtgrad::Tensor records_;        // float64 [epochs done, 6]; empty at first
};

}  // namespace train
