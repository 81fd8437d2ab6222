#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tests/autograd/ops/derivative_orders.h"
#include "tests/autograd/ops/matrix_shapes.h"

namespace xtgrad::inline v1::testing {

// Which derivatives of an operation are checked, how, and at what shapes. A cell is counted where a
// comparison of it has been made, and nowhere else.

/// How a derivative of one order is checked.
enum class Way {
  reverse,          ///< in float64 against numerical ones
  forward,          ///< over reverse, in float64 against the transposed reverse one
  reverse_float32,  ///< against float64
  forward_float32,  ///< against float64
  vmap              ///< every step of it for a batch, in both dtypes: the bits of single examples
};
inline constexpr std::array all_ways{Way::reverse, Way::forward, Way::reverse_float32, Way::forward_float32,
                                     Way::vmap};
std::string_view to_string(Way way);

/// What was compared for one operation.
struct MatrixRow {
  /// Of shapes, order - 1 and way: comparisons made.
  std::array<std::array<std::array<std::size_t, all_ways.size()>, matrix_orders>, all_shapes.size()> cells{};
  std::size_t nasty = 0;  ///< calls at infinities and NaN
  std::size_t kinks = 0;  ///< calls at points whose derivatives are known exactly
  std::vector<std::string> findings;
  std::array<std::string, all_shapes.size()> refusals;  ///< of shapes that were tried in vain: its last word

  [[nodiscard]] std::size_t count(Shapes shapes, int order, Way way) const {
    return cells[static_cast<std::size_t>(shapes)][static_cast<std::size_t>(order - 1)]
                [static_cast<std::size_t>(way)];
  }
};

/// Makes the checks of an operation, at its samples and at variants of them for shapes that they lack.
MatrixRow matrix_row(const Op& op);

}  // namespace xtgrad::v1::testing
