#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "options.h"
#include "progress.h"
#include "xtgrad/autograd/check_grads.h"

namespace train {

/// Everything a run has to say about itself.
struct Report {
  Options options;
  std::int64_t features = 0;
  std::int64_t classes = 0;
  std::int64_t train_samples = 0;
  std::int64_t validation_samples = 0;
  std::int64_t test_samples = 0;
  std::int64_t parameters = 0;
  int gradient_check_order = 0;
  xtgrad::CheckGradsReport gradient_check;
  std::vector<EpochRecord> epochs = {};
  double test_loss = 0;
  double test_accuracy = 0;
  double seconds = 0;  ///< of the whole run
};

/// The report as JSON, with one line an epoch.
[[nodiscard]] std::string to_json(const Report& report);

}  // namespace train
