#pragma once

#include <string>

#include "xtgrad/datasets/dataset.h"

namespace train {

/// The samples by what they may be used for. The split is always the same, whatever `--seed` says, so that
/// runs can be compared and no test sample ever finds its way into training.
struct Splits {
  xtgrad::datasets::Dataset train;       ///< the optimizer learns from these
  xtgrad::datasets::Dataset validation;  ///< every choice is made on these
  xtgrad::datasets::Dataset test;        ///< looked at once, after training
};

struct DataOptions {
  std::string name = {};  ///< see recipes.h
  std::string dir = {};   ///< where its files are; looked for if empty
};

/// The data in the default dtype, pixels from 0 to 1, images as [n, channels, height, width]. The test part
/// is the one that the files call so; a fifth of the samples where they have none. Of the rest a tenth, 5,000
/// samples at most, is for validation. All parts have equal shares of each class. Throws what the readers
/// throw.
[[nodiscard]] Splits load_data(const DataOptions& options);

}  // namespace train
