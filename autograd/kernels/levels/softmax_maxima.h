// The largest element of a row or of columns side by side, which the kernels of softmax take off before exp.
#pragma once

#include "xtgrad/autograd/kernels/levels/level.h"
#include "xtgrad/autograd/kernels/levels/softmax_rows.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

/// Ignores NaN, which finds its way into the result through exp.
template <LaneFloat T>
T max_of_row(const RowIn<T>& x, std::int64_t n) {
  Lane<T> largest(minus_infinity<T>);
  for_each_lane<T>(n, [&](std::int64_t i, std::int64_t count) {
    const Lane<T> v = x.load(i, count, minus_infinity<T>);
    largest = where(v > largest, v, largest);
  });
  alignas(Buffer::alignment) LaneArray<T> values;
  largest.store(values.data());
  for (std::size_t half = values.size() / 2; half > 0; half /= 2) {
    for (std::size_t k = 0; k < half; ++k)
      values[k] = values[k] > values[k + half] ? values[k] : values[k + half];
  }
  return values[0];
}

/// Of each column; ignores NaN as well.
template <LaneFloat T>
StripLanes<T> max_of_strip(const Strip<T>& x) {
  StripLanes<T> largest;
  largest.fill(Lane<T>(minus_infinity<T>));
  x.for_each([&](std::size_t lane, std::int64_t offset, std::int64_t count) {
    const Lane<T> v = x.load(offset, count);
    largest[lane] = where(v > largest[lane], v, largest[lane]);
  });
  return largest;
}

}  // namespace xtgrad::v1::detail
