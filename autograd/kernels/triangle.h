#pragma once

#include <cstdint>

#include "xtgrad/autograd/core/array.h"

namespace xtgrad::inline v1::detail {

enum class Triangle { lower, upper };

/// Copies what lies up to the diagonal of that offset, or from it on, of the matrices along the last two axes
/// of x, and puts 0 elsewhere. `out` may have x's buffer.
void copy_triangle(const Array& x, Triangle triangle, std::int64_t offset, Array& out);

}  // namespace xtgrad::v1::detail
