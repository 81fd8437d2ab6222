#include "xtgrad/autograd/kernels/softmax_rules.h"

#include "xtgrad/autograd/kernels/softmax_rule_rows.h"

namespace xtgrad::inline v1::detail {
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

}  // namespace

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
