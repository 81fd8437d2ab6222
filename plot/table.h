#pragma once

#include <optional>
#include <string>
#include <vector>

#include "xtgrad/plot/canvas.h"

namespace xtgrad::inline v1::plot::detail {

struct Cell {
  std::optional<Color> fill = std::nullopt;  ///< white if absent
  std::string text = {};
};

/// Coloured cells with names at the left and below, and a column of text at the right if there is one.
struct Table {
  std::string title = {};
  std::string note = {};  ///< a smaller line under the title
  std::string row_axis = {};
  std::string column_axis = {};
  std::vector<std::string> row_names = {};
  std::vector<std::string> column_names = {};
  std::vector<Cell> cells = {};  ///< [rows, columns]
  std::string margin_name = {};
  std::vector<std::string> margin = {};  ///< [rows], or none
  double below = 0;                      ///< room that is left under the table
};

/// A page with the table, at least as wide as others.
[[nodiscard]] Canvas draw_table(const Table& table);

}  // namespace xtgrad::v1::plot::detail
