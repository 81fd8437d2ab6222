#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/training/named_value.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace training {

/// Where a training is after an optimizer's step.
struct StepRecord {
  std::int64_t step = 0;     ///< optimizer's steps that are done
  std::int64_t epoch = 0;    ///< the one under way, from 1
  std::int64_t samples = 0;  ///< of this epoch that were learnt from so far
  double loss = 0;           ///< mean over the samples of this step, before it
  double lr = 0;             ///< of the optimizer's first group, in this step
  /// Loss and metrics over the epoch so far; valid until the call that is told of them returns.
  std::span<const NamedValue> values = {};
};

/// What an epoch came to.
struct EpochRecord {
  std::int64_t epoch = 0;  ///< from 1
  std::int64_t step = 0;   ///< optimizer's steps that are done
  double lr = 0;           ///< of the optimizer's first group, in the last step
  /// "loss", the mean over the training samples, each before the step that it was used in; metrics of the
  /// same; and those of validation samples after the epoch, "validation_loss" and so on.
  std::vector<NamedValue> values = {};
  double samples_per_second = 0;  ///< training alone
  double seconds = 0;             ///< training and validation

  /// The value of that name. Throws ValueError that lists the names there are, on behalf of `user`.
  [[nodiscard]] double at(std::string_view name, std::string_view user = "EpochRecord") const;
};

}}}  // namespace xtgrad::v1::training
