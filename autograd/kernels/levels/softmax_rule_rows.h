// The rules of softmax and log_softmax, for one row.
#pragma once

#include <cmath>
#include <cstdint>

#include "xtgrad/autograd/kernels/levels/lanes_exp_both.h"
#include "xtgrad/autograd/kernels/levels/level.h"
#include "xtgrad/autograd/kernels/levels/softmax_rows.h"
#include "xtgrad/autograd/kernels/levels/softmax_rules.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

// Where one probability is near 1 the rules are differences of that one term and the rest. They count from
// its cotangent, so that it cancels exactly and the rest keeps its digits. At most one probability is
// `dominant`, and where none is, nothing cancels: the rules count from 0.

template <LaneFloat T>
Mask<T> dominates(Lane<T> probability) {
  return probability > T(dominant_probability);
}
template <LaneFloat T>
Mask<T> log_dominates(Lane<T> log_probability) {
  return log_probability > T(-0.47);  // log(0.625)
}

template <LaneFloat T>
void softmax_vjp_row(const RowIn<T>& g, const RowIn<T>& y, std::int64_t n, const RowOut<T>& out) {
  T first = 0;
  for_each_lane<T>(n, [&](std::int64_t i, std::int64_t count) {
    // A branch: most lanes have none, and need no cotangents here.
    const Mask<T> dominant = dominates(y.load(i, count, 0));
    if (any(dominant)) first = sum_of(where(dominant, g.load(i, count, 0), 0));  // of one
  });
  RowSum<T> sum;
  for_each_lane<T>(n, [&](std::int64_t i, std::int64_t count) {
    sum.add((g.load(i, count, first) - first) * y.load(i, count, 0));
  });
  const T dot = static_cast<T>(sum.total());
  for_each_lane<T>(n, [&](std::int64_t i, std::int64_t count) {
    out.store(y.load(i, count, 0) * ((g.load(i, count, 0) - first) - dot), i, count);
  });
}

template <LaneFloat T>
void log_softmax_vjp_row(const RowIn<T>& g, const RowIn<T>& y, std::int64_t n, const RowOut<T>& out) {
  T first = 0;
  RowSum<T> followers;
  for_each_lane<T>(n, [&](std::int64_t i, std::int64_t count) {
    Lane<T> own = g.load(i, count, 0);
    const Mask<T> dominant = log_dominates(y.load(i, count, minus_infinity<T>));
    if (any(dominant)) {
      first = sum_of(where(dominant, own, 0));
      own = where(dominant, 0, own);
    }
    followers.add(own);
  });
  const Lane<T> rest(static_cast<T>(followers.total()));
  for_each_lane<T>(n, [&](std::int64_t i, std::int64_t count) {
    const Lane<T> own = g.load(i, count, 0);
    out.store(log_softmax_gradient(own, exp_both(y.load(i, count, 0)), rest + (first - own)), i, count);
  });
}

/// `max` and `sum` of exp(x - max) are the row's, and g its cotangent.
template <LaneFloat T>
void logsumexp_vjp_row(const RowIn<T>& x, std::int64_t n, T max, double sum, T g, const RowOut<T>& out) {
  if (std::isinf(max)) {  // inf - inf has no meaning, and raises a flag
    const T even = static_cast<T>(g / sum);
    const T share = max > 0 ? even : T(0) * even;  // NaN where a row of NaN has no largest
    for (std::int64_t i = 0; i < n; ++i) out.data[i] = x.data[i] == max ? share : T(0) * share;
    return;
  }
  const Lane<T> share(static_cast<T>(g / sum));
  for_each_lane<T>(n, [&](std::int64_t i, std::int64_t count) {
    out.store(exp_both(x.load(i, count, max) - max).power * share, i, count);
  });
}

}  // namespace xtgrad::v1::detail
