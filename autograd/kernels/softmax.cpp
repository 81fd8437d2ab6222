#include "xtgrad/autograd/kernels/softmax.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "xtgrad/autograd/kernels/lanes.h"
#include "xtgrad/autograd/kernels/lanes_exp_both.h"
#include "xtgrad/autograd/kernels/long_sum.h"
#include "xtgrad/autograd/kernels/parallel.h"

namespace xtgrad::inline v1::detail {
namespace {

/// Elements of a tile; fewer than for plain arithmetic, as each costs an exp.
constexpr std::int64_t softmax_tile = 1 << 14;

template <LaneFloat T>
constexpr auto width = static_cast<std::int64_t>(Lane<T>::width);
template <LaneFloat T>
constexpr T minus_infinity = -std::numeric_limits<T>::infinity();

template <LaneFloat T>
using LaneArray = std::array<T, Lane<T>::width>;

template <LaneFloat T>
constexpr LaneArray<T> lane_numbers = [] {
  LaneArray<T> numbers{};
  for (std::size_t k = 0; k < numbers.size(); ++k) numbers[k] = static_cast<T>(k);
  return numbers;
}();

/// `x` in the first `count` lanes, and `fill` in the others.
template <LaneFloat T>
Lane<T> first_lanes(Lane<T> x, std::int64_t count, T fill) {
  if (count == width<T>) return x;
  return where(Lane<T>::load(lane_numbers<T>.data()) < static_cast<T>(count), x, fill);
}

/// `count` elements at p, and `fill` in the other lanes; touches nothing from `end` on.
template <LaneFloat T>
Lane<T> load_part(const T* p, std::int64_t count, const T* end, T fill) {
  if (count == width<T> || end - p >= width<T>) return first_lanes(Lane<T>::load(p), count, fill);
  alignas(Buffer::alignment) LaneArray<T> values;
  values.fill(fill);
  std::copy_n(p, count, values.begin());
  return Lane<T>::load(values.data());
}

/// Writes `count` elements at p, and may write up to `end` whatever the other lanes hold.
template <LaneFloat T>
void store_part(Lane<T> x, T* p, std::int64_t count, const T* end) {
  if (count == width<T> || end - p >= width<T>) {
    x.store(p);
    return;
  }
  alignas(Buffer::alignment) LaneArray<T> values;
  x.store(values.data());
  std::copy_n(values.begin(), count, p);
}

/// f(i, count) for the lanes of n elements: they begin at i and all but the last are full.
template <LaneFloat T, class F>
void for_each_lane(std::int64_t n, F&& f) {
  std::int64_t i = 0;
  for (; i + width<T> <= n; i += width<T>) f(i, width<T>);
  if (i < n) f(i, n - i);
}

// --- Rows: inner = 1 -----------------------------------------------------------------------------

/// A row of an array, and where the array ends: a row's last lane may read into the next row.
template <LaneFloat T>
struct RowIn {
  const T* data;
  const T* end;

  [[nodiscard]] Lane<T> load(std::int64_t i, std::int64_t count, T fill) const {
    return load_part(data + i, count, end, fill);
  }
};

/// The same for results, written in ascending order: what a row's last lane spills, the next row overwrites.
/// `end` is therefore the end of the rows that this thread writes.
template <LaneFloat T>
struct RowOut {
  T* data;
  T* end;

  void store(Lane<T> x, std::int64_t i, std::int64_t count) const { store_part(x, data + i, count, end); }
};

/// Adds lanes in T, four by four, and after every 16 of them as a long sum in double: one large term next to
/// many small ones loses a few of these, not 31.
template <LaneFloat T>
class RowSum {
 public:
  void add(Lane<T> x) {
    lane_ += x;
    if (++pending_ % 4 != 0) return;
    fours_ += lane_;
    lane_ = Lane<T>(T(0));
    if (pending_ == 16) flush();
  }
  double total() {
    if (pending_ != 0) flush();
    return total_.value();
  }

 private:
  void flush() {
    alignas(Buffer::alignment) LaneArray<T> values;
    (fours_ + lane_).store(values.data());
    std::array<double, Lane<T>::width> wide;
    std::copy(values.begin(), values.end(), wide.begin());
    for (std::size_t half = wide.size() / 2; half > 0; half /= 2) {
      for (std::size_t k = 0; k < half; ++k) wide[k] += wide[k + half];
    }
    total_.add(wide[0]);
    lane_ = fours_ = Lane<T>(T(0));
    pending_ = 0;
  }

  Lane<T> lane_{T(0)};
  Lane<T> fours_{T(0)};
  int pending_ = 0;
  LongSum<double> total_;
};

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

// Past a row's end the sums below read the maximum, not -inf: exp of that is a subnormal number on its way to
// 0, which costs the processor more than the rest of a short row.

template <LaneFloat T>
struct LogSum {
  T max;
  double log_rest;  // log(sum(exp(x - max))): the logsumexp is max + log_rest
};

template <LaneFloat T>
LogSum<T> logsum_of_row(const RowIn<T>& x, std::int64_t n) {
  const T max = max_of_row(x, n);
  RowSum<T> others;
  RowSum<T> ties;
  for_each_lane<T>(n, [&](std::int64_t i, std::int64_t count) {
    const Lane<T> v = x.load(i, count, max);
    const Mask<T> tie = v == max;  // also keeps inf - inf out of the sum
    others.add(where(tie, 0, exp(v - max)));
    ties.add(first_lanes(where(tie, Lane<T>(T(1)), 0), count, T(0)));
  });
  return {max, std::log1p((ties.total() - 1) + others.total())};
}

template <LaneFloat T>
void softmax_row(const RowIn<T>& x, std::int64_t n, const RowOut<T>& out) {
  const T max = max_of_row(x, n);
  RowSum<T> sum;
  for_each_lane<T>(n, [&](std::int64_t i, std::int64_t count) {
    const Lane<T> e = exp(x.load(i, count, max) - max);
    out.store(e, i, count);
    sum.add(first_lanes(e, count, T(0)));
  });
  const T total = static_cast<T>(sum.total());
  const RowIn<T> exps{out.data, out.end};
  for_each_lane<T>(
      n, [&](std::int64_t i, std::int64_t count) { out.store(exps.load(i, count, 0) / total, i, count); });
}

template <LaneFloat T>
void log_softmax_row(const RowIn<T>& x, std::int64_t n, const RowOut<T>& out) {
  const LogSum<T> sum = logsum_of_row(x, n);
  const T log_rest = static_cast<T>(sum.log_rest);
  // Two differences: the sum max + log_rest would round off the small one's digits where |x| is large.
  for_each_lane<T>(n, [&](std::int64_t i, std::int64_t count) {
    out.store((x.load(i, count, 0) - sum.max) - log_rest, i, count);
  });
}

template <LaneFloat T>
void softmax_vjp_row(const RowIn<T>& g, const RowIn<T>& y, std::int64_t n, const RowOut<T>& out) {
  RowSum<T> sum;
  for_each_lane<T>(
      n, [&](std::int64_t i, std::int64_t count) { sum.add(g.load(i, count, 0) * y.load(i, count, 0)); });
  const T dot = static_cast<T>(sum.total());
  for_each_lane<T>(n, [&](std::int64_t i, std::int64_t count) {
    out.store(y.load(i, count, 0) * (g.load(i, count, 0) - dot), i, count);
  });
}

template <LaneFloat T>
void log_softmax_vjp_row(const RowIn<T>& g, const RowIn<T>& y, std::int64_t n, const RowOut<T>& out) {
  RowSum<T> sum;
  for_each_lane<T>(n, [&](std::int64_t i, std::int64_t count) { sum.add(g.load(i, count, 0)); });
  const T total = static_cast<T>(sum.total());
  for_each_lane<T>(n, [&](std::int64_t i, std::int64_t count) {
    out.store(log_softmax_gradient(g.load(i, count, 0), exp_both(y.load(i, count, 0)), Lane<T>(total)), i,
              count);
  });
}

/// body(first, last) for tiles of rows of n elements.
template <class F>
void for_each_rows(std::int64_t rows, std::int64_t n, F&& body) {
  const std::int64_t per_tile = std::max<std::int64_t>(1, softmax_tile / std::max<std::int64_t>(1, n));
  for_each_tile((rows + per_tile - 1) / per_tile,
                [&](std::int64_t tile) { body(tile * per_tile, std::min(rows, (tile + 1) * per_tile)); });
}

/// One result row for each row of the operands.
template <LaneFloat T, class F, class... Arrays>
void map_rows_into(const F& f, const AxisView& view, Array& out, const Arrays&... in) {
  const std::int64_t n = view.axis;
  T* results = out.mutable_data<T>();
  for_each_rows(view.outer, n, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      f(RowIn<T>{in.template data<T>() + row * n, in.template data<T>() + in.numel()}..., n,
        RowOut<T>{results + row * n, results + last * n});
    }
  });
}

// --- Columns: inner > 1 --------------------------------------------------------------------------

/// Lanes of columns that are reduced side by side.
constexpr std::size_t strip_lanes = 16;

template <LaneFloat T>
constexpr std::int64_t strip_columns = width<T>* static_cast<std::int64_t>(strip_lanes);

/// Up to `strip_columns` neighbouring columns of [axis, inner].
template <LaneFloat T>
struct Strip {
  const T* data;
  const T* end;  // of the array
  std::int64_t axis;
  std::int64_t inner;
  std::int64_t columns;

  /// f(lane number, offset of the lane in the array, its elements), row after row.
  template <class F>
  void for_each(F&& f) const {
    for (std::int64_t row = 0; row < axis; ++row) {
      std::size_t lane = 0;
      for_each_lane<T>(columns,
                       [&](std::int64_t i, std::int64_t count) { f(lane++, row * inner + i, count); });
    }
  }
  [[nodiscard]] Lane<T> load(std::int64_t offset, std::int64_t count) const {
    return load_part(data + offset, count, end, T(0));
  }
};

/// Kahan's compensated sum. Its terms are at most 1 each, so no infinity can turn the compensation into NaN.
template <LaneFloat T>
struct CompensatedSum {
  Lane<T> sum{T(0)};
  Lane<T> excess{T(0)};

  void add(Lane<T> x) {
    const Lane<T> y = x - excess;
    const Lane<T> next = sum + y;
    excess = (next - sum) - y;
    sum = next;
  }
};

template <LaneFloat T>
using StripLanes = std::array<Lane<T>, strip_lanes>;
template <LaneFloat T>
using StripSums = std::array<CompensatedSum<T>, strip_lanes>;

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

/// As logsum_of_row: fills `log_rest` and returns the maxima.
template <LaneFloat T>
StripLanes<T> logsum_of_strip(const Strip<T>& x, StripLanes<T>& log_rest) {
  const StripLanes<T> max = max_of_strip(x);
  StripSums<T> ties;
  StripSums<T> others;
  x.for_each([&](std::size_t lane, std::int64_t offset, std::int64_t count) {
    const Lane<T> v = x.load(offset, count);
    const Mask<T> tie = v == max[lane];
    others[lane].add(where(tie, 0, exp(v - max[lane])));
    ties[lane].add(where(tie, Lane<T>(T(1)), 0));
  });
  // Not of the lanes that a narrow strip leaves empty, whose logarithm would divide by zero.
  const auto used = static_cast<std::size_t>((x.columns + width<T> - 1) / width<T>);
  for (std::size_t k = 0; k < used; ++k) log_rest[k] = log1p((ties[k].sum - 1) + others[k].sum);
  return max;
}

template <LaneFloat T>
void logsumexp_strip(const Strip<T>& x, T* out) {
  StripLanes<T> log_rest;
  const StripLanes<T> max = logsum_of_strip(x, log_rest);
  std::size_t lane = 0;
  for_each_lane<T>(x.columns, [&](std::int64_t i, std::int64_t count) {
    store_part(max[lane] + log_rest[lane], out + i, count, out + i);
    ++lane;
  });
}

template <LaneFloat T>
void softmax_strip(const Strip<T>& x, T* out) {
  const StripLanes<T> max = max_of_strip(x);
  StripSums<T> sums;
  x.for_each([&](std::size_t lane, std::int64_t offset, std::int64_t count) {
    const Lane<T> e = exp(x.load(offset, count) - max[lane]);
    store_part(e, out + offset, count, out + offset);
    sums[lane].add(e);
  });
  x.for_each([&](std::size_t lane, std::int64_t offset, std::int64_t count) {
    const Lane<T> e = load_part<T>(out + offset, count, out + offset, T(0));
    store_part(e / sums[lane].sum, out + offset, count, out + offset);
  });
}

template <LaneFloat T>
void log_softmax_strip(const Strip<T>& x, T* out) {
  StripLanes<T> log_rest;
  const StripLanes<T> max = logsum_of_strip(x, log_rest);
  x.for_each([&](std::size_t lane, std::int64_t offset, std::int64_t count) {
    store_part((x.load(offset, count) - max[lane]) - log_rest[lane], out + offset, count, out + offset);
  });
}

/// body(strip, outer index, first column) for all strips.
template <LaneFloat T, class F>
void for_each_strip(const Array& in, const AxisView& view, F&& body) {
  const std::int64_t per_row = (view.inner + strip_columns<T> - 1) / strip_columns<T>;
  const T* data = in.data<T>();
  const T* end = data + in.numel();
  for_each_rows(view.outer * per_row, view.axis * std::min(view.inner, strip_columns<T>),
                [&](std::int64_t first, std::int64_t last) {
                  for (std::int64_t unit = first; unit < last; ++unit) {
                    const std::int64_t outer = unit / per_row;
                    const std::int64_t column = unit % per_row * strip_columns<T>;
                    const std::int64_t columns = std::min(strip_columns<T>, view.inner - column);
                    const std::int64_t offset = outer * view.axis * view.inner + column;
                    body(Strip<T>{data + offset, end, view.axis, view.inner, columns}, outer, column);
                  }
                });
}

}  // namespace

void logsumexp_axis(const Array& in, std::int64_t outer, std::int64_t axis, std::int64_t inner, Array& out) {
  visit_floating(in.dtype, [&](auto zero) {
    using T = decltype(zero);
    T* results = out.mutable_data<T>();
    if (inner != 1) {
      for_each_strip<T>(in, {outer, axis, inner},
                        [&](const Strip<T>& strip, std::int64_t row, std::int64_t column) {
                          logsumexp_strip(strip, results + row * inner + column);
                        });
      return;
    }
    for_each_rows(outer, axis, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t row = first; row < last; ++row) {
        const LogSum<T> sum =
            logsum_of_row(RowIn<T>{in.data<T>() + row * axis, in.data<T>() + in.numel()}, axis);
        results[row] = static_cast<T>(static_cast<double>(sum.max) + sum.log_rest);
      }
    });
  });
}

void softmax_axis(const Array& in, const AxisView& view, Array& out) {
  visit_floating(in.dtype, [&](auto zero) {
    using T = decltype(zero);
    if (view.inner == 1) {
      map_rows_into<T>(softmax_row<T>, view, out, in);
      return;
    }
    for_each_strip<T>(in, view, [&](const Strip<T>& strip, std::int64_t, std::int64_t) {
      softmax_strip(strip, out.mutable_data<T>() + (strip.data - in.data<T>()));
    });
  });
}

void log_softmax_axis(const Array& in, const AxisView& view, Array& out) {
  visit_floating(in.dtype, [&](auto zero) {
    using T = decltype(zero);
    if (view.inner == 1) {
      map_rows_into<T>(log_softmax_row<T>, view, out, in);
      return;
    }
    for_each_strip<T>(in, view, [&](const Strip<T>& strip, std::int64_t, std::int64_t) {
      log_softmax_strip(strip, out.mutable_data<T>() + (strip.data - in.data<T>()));
    });
  });
}

void softmax_vjp_rows(const Array& g, const Array& y, const AxisView& view, Array& out) {
  visit_floating(g.dtype, [&](auto zero) {
    using T = decltype(zero);
    map_rows_into<T>(softmax_vjp_row<T>, view, out, g, y);
  });
}

void log_softmax_vjp_rows(const Array& g, const Array& y, const AxisView& view, Array& out) {
  visit_floating(g.dtype, [&](auto zero) {
    using T = decltype(zero);
    map_rows_into<T>(log_softmax_vjp_row<T>, view, out, g, y);
  });
}

}  // namespace xtgrad::v1::detail
