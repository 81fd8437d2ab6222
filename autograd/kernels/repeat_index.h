#pragma once

#include <cstdint>

#include "xtgrad/autograd/core/array.h"

namespace xtgrad::inline v1::detail {

/// The sum of int64 counts [n]. Throws ValueError for a negative one, and for a sum past 2^63 - 1.
std::int64_t sum_of_counts(const Array& counts);

/// Writes each i `counts[i]` times in a row; `index` has room for their sum.
void fill_repeat_index(const Array& counts, Array& index);

}  // namespace xtgrad::v1::detail
