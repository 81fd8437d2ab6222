#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/plot/canvas.h"
#include "xtgrad/plot/confusion_matrix.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace plot {

struct Mistakes {
  Tensor images;            ///< [n, h, w] or [n, channels, h, w], one channel or three
  Predictions labels;       ///< of all of them: the mistakes are found here
  std::int64_t limit = 24;  ///< pictures on the page
};
/// The first `limit` images with another label than predicted, with both labels; a page that says so if there
/// are none. `names` may be empty: classes are then numbers. Throws ShapeError for other shapes,
/// ValueError for a label without a name or a limit below 1, DtypeError unless labels are
/// int64.
[[nodiscard]] Canvas draw_mistakes(const Mistakes& mistakes, std::span<const std::string> names = {});

}}}  // namespace xtgrad::v1::plot
