#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/plot/canvas.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace plot {

struct Predictions {
  Tensor truth;      ///< int64 [n], the samples' labels
  Tensor predicted;  ///< int64 [n]
};
/// How many samples of class i were taken for class j: int64 [classes, classes]. Needs no Cairo. Throws
/// ShapeError if the two differ in shape or are no vectors, DtypeError unless both are int64, ValueError for
/// a label outside 0 .. classes - 1 or if there are no classes.
[[nodiscard]] Tensor count_confusions(const Predictions& predictions, std::int64_t classes);

/// A confusion matrix, [classes, classes], rows for the true class and columns for the predicted one, with
/// the recall of each class, the part of its samples that was recognised, at the right. Shades tell the part
/// of the row, by one scale, its square root: blue where the prediction is right, orange where it is wrong.
/// `names` may be empty: classes are then numbers. Throws ShapeError unless the counts are square and the
/// names as many, ValueError for a count that is negative or no whole number.
[[nodiscard]] Canvas draw_confusion_matrix(const Tensor& counts, std::span<const std::string> names = {});

}}}  // namespace xtgrad::v1::plot
