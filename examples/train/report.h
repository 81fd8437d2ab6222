#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "options.h"
#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/training/records.h"

namespace train {

/// Mean loss of some samples, and the fraction of them that get the right class.
struct Score {
  double loss = 0;
  double accuracy = 0;
};

/// Everything a run has to say about itself.
struct Report {
  Options options;
  std::string augmentation;  ///< in words
  std::int64_t features = 0;
  std::int64_t classes = 0;
  std::int64_t train_samples = 0;
  std::int64_t validation_samples = 0;
  std::int64_t test_samples = 0;
  std::int64_t parameters = 0;
  xtgrad::CheckGradsReport gradient_check = {};
  std::vector<xtgrad::training::EpochRecord> epochs = {};
  Score test = {};
  double seconds = 0;  ///< of the program, since it was last started
};

/// What came out, as JSON: nothing that depends on the machine, its load, or on where the files lie, so that
/// two runs can be compared byte by byte.
[[nodiscard]] std::string to_json(const Report& report);

/// How long it took, and how it was run, as JSON. Epochs of a run that was resumed count the time of the
/// steps that were kept.
[[nodiscard]] std::string timing_json(const Report& report);

}  // namespace train
