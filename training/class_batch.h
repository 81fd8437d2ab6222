#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::training::detail {

/// One batch as metrics of classes see it, int64 [n] each.
struct ClassBatch {
  Tensor predicted;
  Tensor labels;
};

/// Which labels belong to classes, and how outputs say theirs.
struct ClassRange {
  std::int64_t classes = 0;  ///< 0: as many as the outputs have scores; any number where they are classes
  std::optional<std::int64_t> ignored = std::nullopt;
  std::optional<double> threshold = std::nullopt;  ///< outputs are one score a row, of class 1 of two
};

/// The classes that outputs say, and the labels. Outputs are scores, floating [n, classes], or the classes
/// themselves, integers [n]; labels are integers [n], or shares of the classes, floating [n, classes], which
/// count by the largest. With a threshold scores are floating [n] or [n, 1], and labels are of that shape,
/// too: integers, or probabilities of class 1, which count as it above a half. Throws ShapeError or
/// DtypeError for others, and ValueError for an empty handle, and for a class, a share or a probability that
/// is out of range, naming its row.
[[nodiscard]] ClassBatch class_batch(std::string_view metric, const Tensor& outputs, const Tensor& labels,
                                     const ClassRange& range);

/// The same checks, for metrics that need scores themselves; returns the labels, int64 [n].
[[nodiscard]] Tensor labels_of_scores(std::string_view metric, const Tensor& scores, const Tensor& labels,
                                      const ClassRange& range);

/// Throws ValueError for a threshold that is no finite number.
void check_threshold(std::string_view metric, std::optional<double> threshold);

}  // namespace xtgrad::v1::training::detail
