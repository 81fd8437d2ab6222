#include "xtgrad/autograd/kernels/levels/attention_rows.h"

#include <algorithm>
#include <cmath>

#include "xtgrad/autograd/kernels/levels/choose.h"
#include "xtgrad/autograd/kernels/levels/lanes_exp_both.h"
#include "xtgrad/autograd/kernels/levels/softmax_maxima.h"
#include "xtgrad/autograd/kernels/levels/softmax_rows.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {
namespace {

/// A row's scores as softmax sees them, -inf where a key is hidden and behind the row's end. By lanes:
/// reading lanes of what was just written number by number would wait for the memory.
template <LaneFloat T>
void scale_row(const ScoreBlock<T>& b, T* s, std::int64_t n) {
  for_each_lane<T>(b.stride, [&](std::int64_t i, std::int64_t) {
    const Lane<T> v = Lane<T>::load(s + i) * b.scale;
    const std::int64_t left = std::clamp<std::int64_t>(n - i, 0, width<T>);
    first_lanes(v, left, minus_infinity<T>).store(s + i);
  });
}

template <LaneFloat T>
void scale_and_mask(const ScoreBlock<T>& b, std::int64_t row) {
  T* s = b.scores + row * b.stride;
  std::int64_t n = std::clamp<std::int64_t>(row + b.visible, 0, b.columns);
  if (b.allowed != nullptr && b.mask_column == 0 && !b.allowed[row * b.mask_row]) n = 0;
  if (b.added == nullptr && (b.allowed == nullptr || b.mask_column == 0)) return scale_row(b, s, n);
  if (b.added != nullptr) {
    const T* mask = b.added + row * b.mask_row;
    if (b.mask_column == 0) {
      for (std::int64_t j = 0; j < n; ++j) s[j] = s[j] * b.scale + *mask;
    } else {
      for (std::int64_t j = 0; j < n; ++j) s[j] = s[j] * b.scale + mask[j];
    }
  } else {
    const bool* mask = b.allowed + row * b.mask_row;
    for (std::int64_t j = 0; j < n; ++j) s[j] = choose(mask[j], s[j] * b.scale, minus_infinity<T>);
  }
  for (std::int64_t j = n; j < b.stride; ++j) s[j] = minus_infinity<T>;
}

/// exp(s - largest), and 0 for -inf: of that, exp is a subnormal number on its way to 0, which costs the
/// processor more than all the rest.
template <LaneFloat T>
[[gnu::always_inline]] inline Lane<T> power_of(Lane<T> s, Lane<T> largest) {
  const Mask<T> hidden = s == minus_infinity<T>;
  return where(hidden, 0, exp_inlined(where(hidden, largest, s) - largest));
}

template <LaneFloat T>
void add_to_softmax(const ScoreBlock<T>& b, const RunningSoftmax& state, T* results, std::int64_t width) {
  for (std::int64_t row = 0; row < b.rows; ++row) {
    scale_and_mask(b, row);
    T* s = b.scores + row * b.stride;
    double &largest = state.largest[row], &sum = state.sum[row];
    const T before = static_cast<T>(largest);
    const T now = std::max(before, max_of_row(RowIn<T>{s, s + b.stride}, b.stride));
    // Of nothing but -inf and NaN there is no largest, and NaN must get through.
    const Lane<T> taken_off(now == minus_infinity<T> ? T(0) : now);
    RowSum<T> added;
    for_each_lane<T>(b.stride, [&](std::int64_t i, std::int64_t) {
      const Lane<T> e = power_of(Lane<T>::load(s + i), taken_off);
      e.store(s + i);
      added.add(e);
    });
    if (now != before && before != minus_infinity<T>) {
      // In double, as one factor for all that came before.
      const double factor = std::exp(static_cast<double>(before) - static_cast<double>(now));
      T* result = results + row * width;
      for (std::int64_t i = 0; i < width; ++i) result[i] *= static_cast<T>(factor);
      sum *= factor;
    }
    largest = static_cast<double>(now);
    sum += added.total();
  }
}

template <LaneFloat T>
void softmax_slopes(const ScoreBlock<T>& b, const RunningSoftmax& state, T* slopes, const double* means) {
  for (std::int64_t row = 0; row < b.rows; ++row) {
    scale_and_mask(b, row);
    T* s = b.scores + row * b.stride;
    const double largest = state.largest[row], sum = state.sum[row];
    const Lane<T> taken_off(largest == static_cast<double>(minus_infinity<T>) ? T(0)
                                                                              : static_cast<T>(largest));
    const Lane<T> share(static_cast<T>(sum == 0 ? 0 : 1 / sum));
    if (slopes == nullptr) {
      for_each_lane<T>(b.stride, [&](std::int64_t i, std::int64_t) {
        (power_of(Lane<T>::load(s + i), taken_off) * share).store(s + i);
      });
      continue;
    }
    T* slope = slopes + row * b.stride;
    const Lane<T> mean(static_cast<T>(means[row]));
    for_each_lane<T>(b.stride, [&](std::int64_t i, std::int64_t) {
      const Lane<T> score = Lane<T>::load(s + i);
      const Lane<T> p = power_of(score, taken_off) * share;
      // Behind the row's end slopes are whatever lay there.
      const Lane<T> g = where(score == minus_infinity<T>, mean, Lane<T>::load(slope + i));
      p.store(s + i);
      (p * (g - mean) * b.scale).store(slope + i);
    });
  }
}

}  // namespace

void add_to_softmax_float32(const ScoreBlock<float>& block, const RunningSoftmax& state, float* results,
                            std::int64_t width) {
  add_to_softmax(block, state, results, width);
}
void add_to_softmax_float64(const ScoreBlock<double>& block, const RunningSoftmax& state, double* results,
                            std::int64_t width) {
  add_to_softmax(block, state, results, width);
}

void softmax_slopes_float32(const ScoreBlock<float>& block, const RunningSoftmax& state, float* slopes,
                            const double* means) {
  softmax_slopes(block, state, slopes, means);
}
void softmax_slopes_float64(const ScoreBlock<double>& block, const RunningSoftmax& state, double* slopes,
                            const double* means) {
  softmax_slopes(block, state, slopes, means);
}

}  // namespace xtgrad::v1::detail
