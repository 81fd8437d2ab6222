#pragma once

#include <string>

#include "xtgrad/datasets/dataset.h"

namespace train {

/// The samples by what they may be used for. The split is always the same, whatever `--seed` says, so that
/// runs can be compared and no test sample ever finds its way into training.
struct Splits {
  xtgrad::datasets::Dataset train;       ///< the optimizer learns from these
  xtgrad::datasets::Dataset validation;  ///< a tenth of what is not test: every choice is made on these
  xtgrad::datasets::Dataset test;        ///< a fifth: looked at once, after training
};

/// "digits" or "spirals", in the default dtype, scaled and split with equal shares of each class in all
/// parts.
[[nodiscard]] Splits load_data(const std::string& name);

}  // namespace train
