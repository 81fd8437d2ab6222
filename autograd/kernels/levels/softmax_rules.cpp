#include "xtgrad/autograd/kernels/levels/softmax_rules.h"

#include "xtgrad/autograd/kernels/levels/softmax_rule_rows.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {
namespace {

template <LaneFloat T>
void softmax_vjp_strip(const Strip<T>& g, const Strip<T>& y, T* out) {
  StripLanes<T> first;
  first.fill(Lane<T>(T(0)));
  y.for_each([&](std::size_t lane, std::int64_t offset, std::int64_t count) {
    first[lane] += where(dominates(y.load(offset, count)), g.load(offset, count), 0);
  });
  StripSums<T> sums;
  y.for_each([&](std::size_t lane, std::int64_t offset, std::int64_t count) {
    sums[lane].add((g.load(offset, count) - first[lane]) * y.load(offset, count));
  });
  y.for_each([&](std::size_t lane, std::int64_t offset, std::int64_t count) {
    const Lane<T> beside_first = g.load(offset, count) - first[lane];
    store_part(y.load(offset, count) * (beside_first - sums[lane].sum), out + offset, count, out + offset);
  });
}

template <LaneFloat T>
void log_softmax_vjp_strip(const Strip<T>& g, const Strip<T>& y, T* out) {
  StripLanes<T> firsts;
  firsts.fill(Lane<T>(T(0)));
  StripSums<T> followers;
  y.for_each([&](std::size_t lane, std::int64_t offset, std::int64_t count) {
    const Lane<T> own = g.load(offset, count);
    const Mask<T> first = log_dominates(y.load(offset, count));
    firsts[lane] += where(first, own, 0);
    followers[lane].add(where(first, 0, own));
  });
  y.for_each([&](std::size_t lane, std::int64_t offset, std::int64_t count) {
    const Lane<T> own = g.load(offset, count);
    const Lane<T> others = followers[lane].sum + (firsts[lane] - own);
    store_part(log_softmax_gradient(own, exp_both(y.load(offset, count)), others), out + offset, count,
               out + offset);
  });
}

/// `max`, `sum` and `g` begin at the strip's first column.
template <LaneFloat T>
void logsumexp_vjp_strip(const Strip<T>& x, const double* max, const double* sum, const T* g, T* out) {
  alignas(Buffer::alignment) std::array<T, static_cast<std::size_t>(strip_columns<T>)> largest{};
  alignas(Buffer::alignment) std::array<T, static_cast<std::size_t>(strip_columns<T>)> share{};
  for (std::int64_t j = 0; j < x.columns; ++j) {
    const auto k = static_cast<std::size_t>(j);
    largest[k] = static_cast<T>(max[j]);
    share[k] = static_cast<T>(g[j] / sum[j]);
    if (largest[k] == minus_infinity<T>) share[k] *= 0;  // NaN where a column of NaN has no largest
  }
  x.for_each([&](std::size_t lane, std::int64_t offset, std::int64_t count) {
    const Lane<T> top = Lane<T>::load(largest.data() + lane * Lane<T>::width);
    const Lane<T> v = x.load(offset, count);
    const Mask<T> tie = v == top;  // of infinite ones, too, whose difference is none
    const Lane<T> e = exp(where(tie, 0, v) - where(tie, 0, top));
    store_part(e * Lane<T>::load(share.data() + lane * Lane<T>::width), out + offset, count, out + offset);
  });
}

}  // namespace

void logsumexp_vjp_axis(const Array& g, const Array& x, const Array& scales, const AxisView& view,
                        Array& out) {
  const double* max = scales.data<double>();
  const double* sum = max + view.outer * view.inner;
  visit_floating(g.dtype, [&](auto zero) {
    using T = decltype(zero);
    const T* from = x.data<T>();
    T* to = out.mutable_data<T>();
    if (view.inner != 1) {
      for_each_strip<T>(x, view, [&](const Strip<T>& strip, std::int64_t row, std::int64_t column) {
        const std::int64_t at = row * view.inner + column;
        logsumexp_vjp_strip(strip, max + at, sum + at, g.data<T>() + at, to + (strip.data - from));
      });
      return;
    }
    const std::int64_t n = view.axis;
    for_each_rows(view.outer, n, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t row = first; row < last; ++row) {
        logsumexp_vjp_row(RowIn<T>{from + row * n, from + x.numel()}, n, static_cast<T>(max[row]), sum[row],
                          g.data<T>()[row], RowOut<T>{to + row * n, to + last * n});
      }
    });
  });
}

void softmax_vjp_axis(const Array& g, const Array& y, const AxisView& view, Array& out) {
  visit_floating(g.dtype, [&](auto zero) {
    using T = decltype(zero);
    if (view.inner == 1) {
      map_rows_into<T>(softmax_vjp_row<T>, view, out, g, y);
      return;
    }
    for_each_strip<T>(y, view, [&](const Strip<T>& strip, std::int64_t, std::int64_t) {
      const std::int64_t at = strip.data - y.data<T>();
      softmax_vjp_strip(strip.beside(g.data<T>() + at), strip, out.mutable_data<T>() + at);
    });
  });
}

void log_softmax_vjp_axis(const Array& g, const Array& y, const AxisView& view, Array& out) {
  visit_floating(g.dtype, [&](auto zero) {
    using T = decltype(zero);
    if (view.inner == 1) {
      map_rows_into<T>(log_softmax_vjp_row<T>, view, out, g, y);
      return;
    }
    for_each_strip<T>(y, view, [&](const Strip<T>& strip, std::int64_t, std::int64_t) {
      const std::int64_t at = strip.data - y.data<T>();
      log_softmax_vjp_strip(strip.beside(g.data<T>() + at), strip, out.mutable_data<T>() + at);
    });
  });
}

}  // namespace xtgrad::v1::detail
