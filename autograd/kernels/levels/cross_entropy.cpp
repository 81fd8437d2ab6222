#include "xtgrad/autograd/kernels/levels/cross_entropy.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "xtgrad/autograd/kernels/levels/lanes_exp_both.h"
#include "xtgrad/autograd/kernels/levels/softmax_maxima.h"
#include "xtgrad/autograd/kernels/levels/softmax_rows.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {
namespace {

/// Of one run: its class, and what is said of it.
template <LaneFloat T>
struct RunResult {
  T loss;
  T others;  // exponentials but the class's own
  double sum;
};

/// `own` is the class's exponential, and `others` the sum of the rest.
template <LaneFloat T>
RunResult<T> result_of(T max, T at_class, double own, double others) {
  // Where the class has the largest logit its loss is what the others add, however little that is. Elsewhere
  // the sum holds a 1 of the largest beside it, and the difference is the greater part.
  const double log_sum = at_class == max ? std::log1p(others) : std::log(others + own);
  const auto below = static_cast<double>(max) - static_cast<double>(at_class);
  return {static_cast<T>(below + log_sum), static_cast<T>(others), others + own};
}

/// Of a run whose largest logit is infinite, or that is nothing but NaN: the elements stand `stride` apart.
template <LaneFloat T>
RunResult<T> infinite_run(const T* x, std::int64_t n, std::int64_t stride, std::int64_t own, T max,
                          T* exponentials) {
  constexpr T nan = std::numeric_limits<T>::quiet_NaN();
  const bool none = max == minus_infinity<T>;
  double others = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const T v = x[i * stride];
    const bool has_none = none || std::isnan(v);
    if (exponentials != nullptr) exponentials[i * stride] = has_none || v == max ? nan : T(0);
    if (i != own) others += has_none ? static_cast<double>(nan) : (v == max ? 1 : 0);
  }
  const T at_class = x[own * stride];
  if (none || std::isnan(at_class) || std::isnan(others)) return {nan, nan, static_cast<double>(nan)};
  if (at_class == max) return {max - at_class, nan, others + 1};
  return {max, static_cast<T>(others), others};
}

template <LaneFloat T, bool keeps>
RunResult<T> row_of(const RowIn<T>& x, std::int64_t n, std::int64_t own, const RowOut<T>& out) {
  const T max = max_of_row(x, n);
  if (std::isinf(max)) [[unlikely]]
    return infinite_run(x.data, n, 1, own, max, keeps ? out.data : nullptr);
  RowSum<T> others;
  T at_class = 0;
  for_each_lane<T>(n, [&](std::int64_t i, std::int64_t count) {
    const Lane<T> e = exp_inlined(x.load(i, count, max) - max);
    if constexpr (keeps) out.store(e, i, count);
    if (static_cast<std::uint64_t>(own - i) < static_cast<std::uint64_t>(count)) [[unlikely]] {
      const Mask<T> is_own = Lane<T>::load(lane_numbers<T>.data()) == static_cast<T>(own - i);
      at_class = sum_of(where(is_own, e, 0));
      others.add(first_lanes(where(is_own, 0, e), count, T(0)));
    } else {
      others.add(first_lanes(e, count, T(0)));
    }
  });
  return result_of(max, x.data[own], static_cast<double>(at_class), others.total());
}

template <LaneFloat T>
using StripNumbers = std::array<T, static_cast<std::size_t>(strip_columns<T>)>;

/// Rows that are numbered in T at a time, where numbers up to 2^24 are exact.
inline constexpr std::int64_t numbered_rows = 1 << 22;

template <LaneFloat T>
struct StripParts {
  StripLanes<T> max;
  StripSums<T> others;
  StripLanes<T> own;  // the classes' exponentials
};

/// Of columns side by side, whose classes are `classes`. `exponentials`, unless null, stand as the strip
/// does.
template <LaneFloat T>
void parts_of_strip(const Strip<T>& x, const std::int64_t* classes, StripParts<T>& parts, T* exponentials) {
  parts.max = max_of_strip(x);
  parts.own.fill(Lane<T>(T(0)));
  // Columns with infinite ones are done anew; inf - inf would raise a flag.
  StripLanes<T> top;
  for (std::size_t k = 0; k < strip_lanes; ++k)
    top[k] = where(abs(parts.max[k]) <= std::numeric_limits<T>::max(), parts.max[k], 0);
  for (std::int64_t first = 0; first < x.axis; first += numbered_rows) {
    alignas(Buffer::alignment) StripNumbers<T> wanted{};
    for (std::int64_t j = 0; j < x.columns; ++j)
      wanted[static_cast<std::size_t>(j)] = static_cast<T>(classes[j] - first);
    const std::int64_t rows = std::min(numbered_rows, x.axis - first);
    for (std::int64_t row = 0; row < rows; ++row) {
      std::size_t lane = 0;
      for_each_lane<T>(x.columns, [&](std::int64_t i, std::int64_t count) {
        const std::int64_t at = (first + row) * x.inner + i;
        const Lane<T> e = exp(x.load(at, count) - top[lane]);
        if (exponentials != nullptr) store_part(e, exponentials + at, count, exponentials + at);
        const Mask<T> is_own = Lane<T>::load(wanted.data() + i) == static_cast<T>(row);
        parts.others[lane].add(where(is_own, 0, e));
        parts.own[lane] = where(is_own, e, parts.own[lane]);
        ++lane;
      });
    }
  }
}

/// Where the results of a strip's columns go.
template <LaneFloat T>
struct StripOut {
  T* losses;
  T* exponentials;  // null where they are not kept, and neither the sums
  double* sums;
};

template <LaneFloat T>
void strip_of(const Strip<T>& x, const std::int64_t* classes, const StripOut<T>& out) {
  StripParts<T> parts;
  parts_of_strip(x, classes, parts, out.exponentials);
  alignas(Buffer::alignment) StripNumbers<T> max;
  alignas(Buffer::alignment) StripNumbers<T> others;
  alignas(Buffer::alignment) StripNumbers<T> own;
  for (std::size_t k = 0; k < strip_lanes; ++k) {
    const std::size_t at = k * Lane<T>::width;
    parts.max[k].store(max.data() + at);
    parts.others[k].sum.store(others.data() + at);
    parts.own[k].store(own.data() + at);
  }
  for (std::int64_t j = 0; j < x.columns; ++j) {
    const auto k = static_cast<std::size_t>(j);
    const std::int64_t class_at = classes[j] * x.inner + j;
    T* column = out.exponentials == nullptr ? nullptr : out.exponentials + j;
    const RunResult<T> run = std::isinf(max[k])
                                 ? infinite_run(x.data + j, x.axis, x.inner, classes[j], max[k], column)
                                 : result_of(max[k], x.data[class_at], static_cast<double>(own[k]),
                                             static_cast<double>(others[k]));
    out.losses[j] = run.loss;
    if (column == nullptr) continue;
    out.exponentials[class_at] = 0 - run.others;
    out.sums[j] = run.sum;
  }
}

template <LaneFloat T, bool keeps>
void rows_into(const Array& logits, const Array& classes, const AxisView& view, Array& losses,
               const CrossEntropyParts* parts) {
  const std::int64_t n = view.axis;
  const T* from = logits.data<T>();
  const auto* own = classes.data<std::int64_t>();
  T* results = losses.mutable_data<T>();
  T* kept = keeps ? parts->exponentials->mutable_data<T>() : nullptr;
  double* sums = keeps ? parts->sums->mutable_data<double>() : nullptr;
  for_each_rows(view.outer, n, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      const RowIn<T> x{from + row * n, from + logits.numel()};
      RowOut<T> out{nullptr, nullptr};
      if constexpr (keeps) out = {kept + row * n, kept + last * n};
      const RunResult<T> run = row_of<T, keeps>(x, n, own[row], out);
      results[row] = run.loss;
      if constexpr (!keeps) continue;
      out.data[own[row]] = 0 - run.others;
      sums[row] = run.sum;
    }
  });
}

template <LaneFloat T>
void strips_into(const Array& logits, const Array& classes, const AxisView& view, Array& losses,
                 const CrossEntropyParts* parts) {
  const auto* own = classes.data<std::int64_t>();
  T* results = losses.mutable_data<T>();
  T* kept = parts == nullptr ? nullptr : parts->exponentials->mutable_data<T>();
  double* sums = parts == nullptr ? nullptr : parts->sums->mutable_data<double>();
  for_each_strip<T>(logits, view, [&](const Strip<T>& strip, std::int64_t row, std::int64_t column) {
    const std::int64_t at = row * view.inner + column;
    StripOut<T> out{results + at, nullptr, nullptr};
    if (parts != nullptr) {
      out.exponentials = kept + (strip.data - logits.data<T>());
      out.sums = sums + at;
    }
    strip_of(strip, own + at, out);
  });
}

/// `sums` and `g` begin at the strip's first column.
template <LaneFloat T>
void vjp_strip(const Strip<T>& exponentials, const double* sums, const T* g, T* out) {
  alignas(Buffer::alignment) StripNumbers<T> share{};
  for (std::int64_t j = 0; j < exponentials.columns; ++j)
    share[static_cast<std::size_t>(j)] = static_cast<T>(static_cast<double>(g[j]) / sums[j]);
  exponentials.for_each([&](std::size_t lane, std::int64_t offset, std::int64_t count) {
    const Lane<T> shares = Lane<T>::load(share.data() + lane * Lane<T>::width);
    store_part(exponentials.load(offset, count) * shares, out + offset, count, out + offset);
  });
}

template <LaneFloat T>
void vjp_row(const RowIn<T>& exponentials, std::int64_t n, T share, const RowOut<T>& out) {
  for_each_lane<T>(n, [&](std::int64_t i, std::int64_t count) {
    out.store(exponentials.load(i, count, T(0)) * share, i, count);
  });
}

}  // namespace

void softmax_cross_entropy_axis(const Array& logits, const Array& classes, const AxisView& view,
                                Array& losses, const CrossEntropyParts* parts) {
  visit_floating(logits.dtype, [&](auto zero) {
    using T = decltype(zero);
    if (view.inner != 1) {
      strips_into<T>(logits, classes, view, losses, parts);
    } else if (parts == nullptr) {
      rows_into<T, false>(logits, classes, view, losses, parts);
    } else {
      rows_into<T, true>(logits, classes, view, losses, parts);
    }
  });
}

void softmax_cross_entropy_vjp_axis(const Array& g, const Array& exponentials, const Array& sums,
                                    const AxisView& view, Array& out) {
  const double* sum = sums.data<double>();
  visit_floating(g.dtype, [&](auto zero) {
    using T = decltype(zero);
    const T* cotangents = g.data<T>();
    const T* from = exponentials.data<T>();
    T* to = out.mutable_data<T>();
    if (view.inner != 1) {
      for_each_strip<T>(exponentials, view,
                        [&](const Strip<T>& strip, std::int64_t row, std::int64_t column) {
                          const std::int64_t at = row * view.inner + column;
                          vjp_strip(strip, sum + at, cotangents + at, to + (strip.data - from));
                        });
      return;
    }
    const std::int64_t n = view.axis;
    for_each_rows(view.outer, n, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t row = first; row < last; ++row) {
        const T share = static_cast<T>(static_cast<double>(cotangents[row]) / sum[row]);
        // Nothing beyond the row is touched: where the result takes the exponentials' place, others are at
        // it.
        const std::int64_t end = (row + 1) * n;
        vjp_row(RowIn<T>{from + row * n, from + end}, n, share, RowOut<T>{to + row * n, to + end});
      }
    });
  });
}

}  // namespace xtgrad::v1::detail
