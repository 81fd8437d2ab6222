#include "xtgrad/autograd/kernels/levels/softmax.h"

#include <cmath>

#include "xtgrad/autograd/kernels/levels/lanes_exp_both.h"
#include "xtgrad/autograd/kernels/levels/softmax_maxima.h"
#include "xtgrad/autograd/kernels/levels/softmax_rows.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {
namespace {

// Past a row's end the sums below read the maximum, not -inf: exp of that is a subnormal number on its way to
// 0, which costs the processor more than the rest of a short row.

template <LaneFloat T>
struct LogSum {
  T max;
  double rest;  // sum(exp(x - max)) - 1

  [[nodiscard]] double log_rest() const { return std::log1p(rest); }
  [[nodiscard]] T value() const { return static_cast<T>(static_cast<double>(max) + log_rest()); }
};

template <LaneFloat T>
LogSum<T> logsum_of_row(const RowIn<T>& x, std::int64_t n) {
  const T max = max_of_row(x, n);
  RowSum<T> others;
  Lane<T> ties(T(0));  // counts, which are exact in T up to 2^24 for each of its elements
  for_each_lane<T>(n, [&](std::int64_t i, std::int64_t count) {
    const Lane<T> v = x.load(i, count, max);
    const Mask<T> tie = v == max;
    // Not inf - inf, which is an invalid operation, though it would not be taken.
    others.add(where(tie, 0, exp_inlined(where(tie, 0, v) - max)));
    ties += first_lanes(where(tie, Lane<T>(T(1)), 0), count, T(0));
  });
  return {max, (static_cast<double>(sum_of(ties)) - 1) + others.total()};
}

template <LaneFloat T>
void softmax_row(const RowIn<T>& x, std::int64_t n, const RowOut<T>& out) {
  const T max = max_of_row(x, n);
  RowSum<T> sum;
  for_each_lane<T>(n, [&](std::int64_t i, std::int64_t count) {
    const Lane<T> e = exp_inlined(x.load(i, count, max) - max);
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
  const T log_rest = static_cast<T>(sum.log_rest());
  // Two differences: the sum max + log_rest would round off the small one's digits where |x| is large.
  for_each_lane<T>(n, [&](std::int64_t i, std::int64_t count) {
    out.store((x.load(i, count, 0) - sum.max) - log_rest, i, count);
  });
}

/// As logsum_of_row: fills `rest` and returns the maxima.
template <LaneFloat T>
StripLanes<T> sums_of_strip(const Strip<T>& x, StripLanes<T>& rest) {
  const StripLanes<T> max = max_of_strip(x);
  StripSums<T> ties;
  StripSums<T> others;
  x.for_each([&](std::size_t lane, std::int64_t offset, std::int64_t count) {
    const Lane<T> v = x.load(offset, count);
    const Mask<T> tie = v == max[lane];
    others[lane].add(where(tie, 0, exp(where(tie, 0, v) - max[lane])));
    ties[lane].add(where(tie, Lane<T>(T(1)), 0));
  });
  for (std::size_t k = 0; k < strip_lanes; ++k) rest[k] = (ties[k].sum - 1) + others[k].sum;
  return max;
}

/// The logarithms; not of the lanes that a narrow strip leaves empty, which would divide by zero.
template <LaneFloat T>
void take_logs(const Strip<T>& x, StripLanes<T>& rest) {
  const auto used = static_cast<std::size_t>((x.columns + width<T> - 1) / width<T>);
  for (std::size_t k = 0; k < used; ++k) rest[k] = log1p(rest[k]);
}

template <LaneFloat T>
void keep_scales(const Strip<T>& x, const StripLanes<T>& max, const StripLanes<T>& rest, double* scales,
                 std::int64_t columns_of_all) {
  for_each_lane<T>(x.columns, [&](std::int64_t i, std::int64_t count) {
    const auto lane = static_cast<std::size_t>(i / width<T>);
    alignas(Buffer::alignment) LaneArray<T> largest;
    alignas(Buffer::alignment) LaneArray<T> others;
    max[lane].store(largest.data());
    rest[lane].store(others.data());
    for (std::int64_t k = 0; k < count; ++k) {
      scales[i + k] = static_cast<double>(largest[static_cast<std::size_t>(k)]);
      scales[columns_of_all + i + k] = 1 + static_cast<double>(others[static_cast<std::size_t>(k)]);
    }
  });
}

/// `scales`, if there are any, are the first column's of the largest, and `columns_of_all` behind, of the
/// sums.
template <LaneFloat T>
void logsumexp_strip(const Strip<T>& x, T* out, double* scales, std::int64_t columns_of_all) {
  StripLanes<T> log_rest;
  const StripLanes<T> max = sums_of_strip(x, log_rest);
  if (scales != nullptr) keep_scales(x, max, log_rest, scales, columns_of_all);
  take_logs(x, log_rest);
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
  const StripLanes<T> max = sums_of_strip(x, log_rest);
  take_logs(x, log_rest);
  x.for_each([&](std::size_t lane, std::int64_t offset, std::int64_t count) {
    store_part((x.load(offset, count) - max[lane]) - log_rest[lane], out + offset, count, out + offset);
  });
}

void logsumexp_into(const Array& in, const AxisView& view, Array& out, double* scales) {
  const std::int64_t count = view.outer * view.inner;
  visit_floating(in.dtype, [&](auto zero) {
    using T = decltype(zero);
    T* results = out.mutable_data<T>();
    if (view.inner != 1) {
      for_each_strip<T>(in, view, [&](const Strip<T>& strip, std::int64_t row, std::int64_t column) {
        const std::int64_t at = row * view.inner + column;
        logsumexp_strip(strip, results + at, scales == nullptr ? nullptr : scales + at, count);
      });
      return;
    }
    for_each_rows(view.outer, view.axis, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t row = first; row < last; ++row) {
        const LogSum<T> sum =
            logsum_of_row(RowIn<T>{in.data<T>() + row * view.axis, in.data<T>() + in.numel()}, view.axis);
        results[row] = sum.value();
        if (scales == nullptr) continue;
        scales[row] = static_cast<double>(sum.max);
        scales[count + row] = 1 + sum.rest;
      }
    });
  });
}

}  // namespace

void logsumexp_axis(const Array& in, std::int64_t outer, std::int64_t axis, std::int64_t inner, Array& out) {
  logsumexp_into(in, {outer, axis, inner}, out, nullptr);
}

void logsumexp_and_scales(const Array& in, const AxisView& view, Array& out, Array& scales) {
  logsumexp_into(in, view, out, scales.mutable_data<double>());
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

}  // namespace xtgrad::v1::detail
