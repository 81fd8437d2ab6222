#pragma once

#include <string_view>

#include "xtgrad/autograd/core/array.h"

namespace xtgrad::inline v1::detail {

/// Eigenvalues of (a + a')/2, ascending, and as columns the vectors, unless `vectors` is null. Throws as
/// cholesky for an asymmetry.
void eigh(std::string_view function, const Array& a, Array& values, Array* vectors);

}  // namespace xtgrad::v1::detail
