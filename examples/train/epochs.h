#pragma once

#include <cstdint>
#include <vector>

#include "xtgrad/training/records.h"

namespace train {

/// What an epoch of this program's trainings came to.
struct EpochRecord {
  std::int64_t epoch = 0;      ///< from 1
  double loss = 0;             ///< mean over the training samples, each before the step that it was used in
  double accuracy = 0;         ///< of the same
  double validation_loss = 0;  ///< after the epoch
  double validation_accuracy = 0;
  double samples_per_second = 0;  ///< training alone
  double seconds = 0;             ///< training and validation
};

[[nodiscard]] std::vector<EpochRecord> epochs_of(const std::vector<xtgrad::training::EpochRecord>& records);

}  // namespace train
