#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/autograd/ops/derivative_matrix.h"

namespace xtgrad::inline v1::testing {

// Why cells of docs/derivatives.md are empty.

/// What a cell is of: shapes, or one of the last two columns.
enum class Column { plain, broadcast, size_one, empty, zero_d, batch_of_one, nasty, kinks, vmap };
inline Column column_of(Shapes shapes) { return static_cast<Column>(shapes); }

struct MatrixReason {
  char letter;
  const char* text;
  bool (*holds)(const Op& op, const MatrixRow& row, Column column);
};
const std::vector<MatrixReason>& matrix_reasons();
/// The reason why a column of this operation is not checked, if there is one.
const MatrixReason* reason_for(const Op& op, const MatrixRow& row, Column column);

/// What is wrong with a row: findings of the checks, cells that are neither checked nor explained, and
/// explained ones that are checked.
std::vector<std::string> faults_of(const Op& op, const MatrixRow& row);
/// The operation's line of the page.
std::string line_of(const Op& op, const MatrixRow& row);

}  // namespace xtgrad::v1::testing
