#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "canvas.h"

namespace plot {

/// How often samples of one class were taken for another.
struct ConfusionMatrix {
  std::vector<std::string> names;    // [classes]
  std::vector<std::int64_t> counts;  // [classes, classes], true class by predicted class
};

/// The counts as a table, rows for the true class and columns for the predicted one, with the recall of each
/// class, the part of its samples that was recognised, at the right. Shades tell the part of the row, by
/// one scale, its square root: blue where the prediction is right, orange where it is wrong.
/// Throws xtgrad::ShapeError unless there is a name, and a count for every two; xtgrad::ValueError for a
/// negative count.
[[nodiscard]] Canvas draw_matrix(const ConfusionMatrix& matrix);

}  // namespace plot
