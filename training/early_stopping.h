#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/io/named_tensor.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/module_base.h"
#include "xtgrad/nn/settings.h"
#include "xtgrad/nn/state_dict.h"
#include "xtgrad/training/stopping_rule.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace training {

struct EarlyStoppingOptions {
  std::int64_t patience = 10;             ///< epochs without improvement before it stops, at least 1
  double min_delta = 0;                   ///< an improvement is more than so much
  std::string watch = "validation_loss";  ///< the value of the epochs' records that is to improve
  bool maximize = false;                  ///< it is to rise
  bool restore_best = true;               ///< `at_end` gives the model the best epoch's weights
};

/// Stops when a value, such as the validation loss, has not improved for `patience` epochs, and gives the
/// model back the state that it had after the best one, the first among equals: weights, buffers, counters
/// and streams. It does so at the end of the training, whichever rule ended it. NaN is no improvement.
///
///   training::EarlyStopping early(model, {.patience = 5});
///   for (std::int64_t epoch = 1; !early.stopped(); ++epoch) {
///     train();
///     early.after_epoch({.epoch = epoch, .values = {{"validation_loss", validation_loss()}}});
///   }
///   early.at_end();
class EarlyStopping final : public StoppingRule {
 public:
  /// The model must outlive it. Throws ValueError for an option that is out of range.
  explicit EarlyStopping(nn::ModuleBase& model, const EarlyStoppingOptions& options = {});

  /// The best value; infinite before the first epoch.
  [[nodiscard]] double best() const { return best_.item(); }
  /// The epoch that had it, from 1; 0 before the first.
  [[nodiscard]] std::int64_t best_epoch() const { return best_epoch_; }
  /// The model's state after that epoch.
  [[nodiscard]] nn::StateDict best_state() const;
  void check_names(const std::vector<std::string>& names) const override;
  /// Gives the model that state, unless no epoch has been seen or the options forbid it.
  void at_end() override;

  /// With the best state, whose names begin with "best_state.", and the options, such as "options.patience",
  /// which must be those that the state was made under; the value that is watched is part of a name,
  /// "options.watch.validation_loss".
  void members(nn::Members& m) override;
  void check_loaded() const override;

 protected:
  using StoppingRule::stops_after;
  bool stops_after(const EpochRecord& epoch) override;
  [[nodiscard]] std::string describe() const override;

 private:
  nn::ModuleBase& model_;
  nn::detail::Settings<EarlyStoppingOptions> settings_;
  Tensor best_;  // float64 []
  std::int64_t best_epoch_ = 0;
  std::int64_t bad_ = 0;
  std::vector<NamedTensor> best_state_;
};

}}}  // namespace xtgrad::v1::training
