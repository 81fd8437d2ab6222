#pragma once

#include <cstdint>
#include <optional>

#include "xtgrad/autograd/core/array.h"

namespace xtgrad::inline v1::detail {

/// A column in which no pivot stands out from the roundings.
struct SingularColumn {
  std::int64_t index;  // of the pivot
  double pivot;
  double largest;  // of the column
};

/// Solves sum over j of columns[j] x[j] = b by LU decomposition with partial pivoting, in double: `columns`
/// is [n, n], each row of it a column of the matrix, `b` and `x` are [n], all of one floating dtype. Returns
/// the first column that the ones before it make up, and leaves x undefined, if there is one.
///
/// A loop of its own, not LAPACK: the matrices are small beside what it takes to fill them, and calls need no
/// turns between threads.
std::optional<SingularColumn> lu_solve(const Array& columns, const Array& b, Array& x);

}  // namespace xtgrad::v1::detail
