#pragma once

#include "model.h"
#include "xtgrad/datasets/dataset.h"

namespace train {

/// Mean loss of some samples, and the fraction of them that get the right class.
struct Score {
  double loss = 0;
  double accuracy = 0;
};

/// The scores of samples [n, ...] as the classifier would give them in use: without dropout, and with the
/// running statistics. Records nothing. [n, classes]
[[nodiscard]] xtgrad::Tensor scores_of(Classifier& classifier, const xtgrad::Tensor& inputs);

/// How good such scores are.
[[nodiscard]] Score score(const Classifier& classifier, const xtgrad::Tensor& scores,
                          const xtgrad::Tensor& labels);

/// The two in one.
[[nodiscard]] Score evaluate(Classifier& classifier, const xtgrad::datasets::Dataset& data);

/// How many samples got the right class.
[[nodiscard]] std::int64_t count_correct(const xtgrad::Tensor& scores, const xtgrad::Tensor& labels);

}  // namespace train
