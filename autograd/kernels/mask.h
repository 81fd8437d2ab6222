#pragma once

#include <cstdint>

#include "xtgrad/autograd/core/array.h"

namespace xtgrad::inline v1::detail {

/// Elements that are not 0, of any dtype; NaN is not 0.
std::int64_t count_set(const Array& x);

/// The places of the elements that are not 0, in row-major order: int64 [count, rank of x]. There are `count`
/// of them, of which the caller has made sure.
void fill_set_places(const Array& x, Array& places);

/// How many elements of a bool mask before each one are true, in row-major order, but no more than `most`.
void count_before(const Array& mask, std::int64_t most, Array& counts);

}  // namespace xtgrad::v1::detail
