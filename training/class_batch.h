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

/// Which labels belong to classes.
struct ClassRange {
  std::int64_t classes = 0;  ///< 0: as many as the outputs have scores; any number where they are classes
  std::optional<std::int64_t> ignored = std::nullopt;
};

/// The classes that outputs say, and the labels. Outputs are scores, floating [n, classes], or the classes
/// themselves, integers [n]; labels are integers [n]. Throws ShapeError or DtypeError for others, and
/// ValueError for an empty handle, and for a class that is out of range, naming its row.
[[nodiscard]] ClassBatch class_batch(std::string_view metric, const Tensor& outputs, const Tensor& labels,
                                     const ClassRange& range);

/// The same checks, for metrics that need scores themselves; returns the labels, int64 [n].
[[nodiscard]] Tensor labels_of_scores(std::string_view metric, const Tensor& scores, const Tensor& labels,
                                      const ClassRange& range);

}  // namespace xtgrad::v1::training::detail
