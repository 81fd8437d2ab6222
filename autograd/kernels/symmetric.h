#pragma once

#include <cstdint>
#include <string_view>

#include "xtgrad/autograd/core/array.h"

namespace xtgrad::inline v1::detail {

/// (a + a')/2 of matrix `index` of a batch [..., n, n] to `y`, all of it, the same bits on both sides. Throws
/// ValueError, in the function's name, where the two differ by more than what rounding may have made of a
/// symmetric matrix: the root of the dtype's epsilon, for what it is that was rounded nobody knows here.
/// False, with y undefined, if an element is not finite.
template <class T>
bool symmetrized(std::string_view function, const Array& a, std::int64_t index, T* y);

}  // namespace xtgrad::v1::detail
