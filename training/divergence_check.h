#pragma once

#include <cstdint>
#include <optional>

#include "xtgrad/autograd/export.h"
#include "xtgrad/training/callback.h"
#include "xtgrad/training/records.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace training {

struct DivergenceCheckOptions {
  double step_multiple = 1e6;   ///< a step's loss may rise by so many times the first one's size
  double epoch_multiple = 1e3;  ///< so may an epoch's and its validation's: a mean is never as far off
  double min_scale = 1;         ///< a first loss that is smaller in size counts as this: one of 0 may rise
};

/// Ends a training that diverges: whose loss, or validation loss, is not finite, or has risen above the first
/// step's by a multiple of that one's absolute value. A negative loss, such as minus a log likelihood, is
/// measured so as well, and may fall as far as it likes. In a resumed training the loss of the first epoch
/// stands for the first step's; one that was resumed within that epoch begins anew.
///
/// `fit` then throws NonFiniteError or ConvergenceError. It stands before whatever saves the state. A step's
/// loss that is not finite is refused by the trainer itself, before that step.
class DivergenceCheck final : public Callback {
 public:
  /// Throws ValueError for an option that is not finite and positive.
  explicit DivergenceCheck(const DivergenceCheckOptions& options = {});
  void begin(Trainer& trainer) override;
  void after_step(Trainer& trainer, const StepRecord& step) override;
  void after_epoch(Trainer& trainer, const EpochRecord& epoch) override;

 private:
  DivergenceCheckOptions options_;
  std::optional<double> first_;
};

}}}  // namespace xtgrad::v1::training
