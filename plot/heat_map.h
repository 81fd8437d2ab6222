#pragma once

#include <optional>
#include <string>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/plot/canvas.h"
#include "xtgrad/plot/style.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace plot {

/// A matrix as a table of coloured cells, over a bar that tells what colours stand for. Its cells have 15
/// points a side at least; `draw_images` draws larger matrices, a pixel an element.
struct HeatMap {
  Tensor values = {};  ///< [rows, columns]; NaN is drawn in pink
  std::string title = {};
  std::string note = {};                       ///< a smaller line under the title
  std::string row_label = {};                  ///< what rows are, such as "query"
  std::string column_label = {};               ///< what columns are
  std::string value_label = {};                ///< what values are, with their unit
  std::vector<std::string> row_names = {};     ///< numbers from 0 if there are none
  std::vector<std::string> column_names = {};  ///< numbers from 0 if there are none
  std::optional<Range> range = std::nullopt;   ///< of the colours; if absent, what the values span
  ColorMap map = heat_map;
  bool numbers = true;  ///< the values themselves are written into their cells
};

/// Throws ShapeError unless values are [rows, columns] with at least one element and names, where there are
/// any, are as many; ValueError for more than 1000 rows or columns, and for a range that is not finite with
/// low below high.
[[nodiscard]] Canvas draw_heat_map(const HeatMap& map);

}}}  // namespace xtgrad::v1::plot
