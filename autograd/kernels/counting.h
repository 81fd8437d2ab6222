#pragma once

#include "xtgrad/autograd/core/array.h"

namespace xtgrad::inline v1::detail {

/// counts[v] += 1 for each element v of x, int64 and in range.
void count_values(const Array& x, Array& counts);

/// The smallest and the largest finite element; both 0 where there is none.
struct Range {
  double low = 0, high = 0;
};
[[nodiscard]] Range finite_range(const Array& x);

/// How many elements lie in each of the bins that a range is cut into: each has its lower end, the last one
/// both. For int64 and floating arrays.
void count_in_bins(const Array& x, const Range& range, Array& counts);

/// Where the values go into sorted rows, of which each is [n] for `each` values, or one for all: before what
/// is equal or, with `right`, behind. NaN is larger than all. For int64 and floating arrays.
void search_rows(const Array& sorted, const Array& values, bool right, Array& places);

/// How many elements of a sorted array, NaN last, differ from the one before.
[[nodiscard]] std::int64_t count_different(const Array& sorted);

/// Of a sorted array, and where its elements were: those that differ, where among these each element was, and
/// how often each is there.
void part_runs(const Array& sorted, const Array& order, Array& values, Array& inverse, Array& counts);

}  // namespace xtgrad::v1::detail
