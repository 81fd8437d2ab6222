// Rows along the middle dimension of [outer, axis, inner], and columns side by side, lane by lane: what the
// kernels of softmax and of its rules share.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

#include "xtgrad/autograd/kernels/levels/lanes.h"
#include "xtgrad/autograd/kernels/levels/level.h"
#include "xtgrad/autograd/kernels/long_sum.h"
#include "xtgrad/autograd/kernels/parallel.h"
#include "xtgrad/autograd/kernels/reduce.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

/// Elements of a tile; fewer than for plain arithmetic, as each costs an exp.
inline constexpr std::int64_t softmax_tile = 1 << 14;

template <LaneFloat T>
inline constexpr auto width = static_cast<std::int64_t>(Lane<T>::width);
template <LaneFloat T>
inline constexpr T minus_infinity = -std::numeric_limits<T>::infinity();

template <LaneFloat T>
using LaneArray = std::array<T, Lane<T>::width>;

template <LaneFloat T>
inline constexpr LaneArray<T> lane_numbers = [] {
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
[[gnu::always_inline]] inline void for_each_lane(std::int64_t n, F&& f) {
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
    Lane<double> total = Lane<double>::load(wide.data());
    for (std::size_t k = Lane<double>::width; k < wide.size(); k += Lane<double>::width)
      total += Lane<double>::load(wide.data() + k);
    total_.add(sum_of(total));
    lane_ = fours_ = Lane<T>(T(0));
    pending_ = 0;
  }

  Lane<T> lane_{T(0)};
  Lane<T> fours_{T(0)};
  int pending_ = 0;
  LongSum<double> total_;
};

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
inline constexpr std::size_t strip_lanes = 16;

template <LaneFloat T>
inline constexpr std::int64_t strip_columns = width<T>* static_cast<std::int64_t>(strip_lanes);

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
  /// The same places in another array of the shape, of which `other` is this strip's first element.
  [[nodiscard]] Strip beside(const T* other) const {
    return {other, other + (end - data), axis, inner, columns};
  }
};

/// Kahan's compensated sum. Of a softmax its terms are at most 1 each; an infinite one, of a cotangent, makes
/// the sum NaN.
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

}  // namespace xtgrad::v1::detail
