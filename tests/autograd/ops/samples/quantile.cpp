// Samples of what is chosen by rank or by number.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/autograd/ops/samples/reductions.h"
#include "xtgrad/autograd/functions/statistics.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr double inf = infinity;
constexpr double nan = not_a_number;

bool has_nan(const std::vector<Real>& values) {
  return std::any_of(values.begin(), values.end(), [](Real v) { return std::isnan(v); });
}

void choice_samples(Op& op, ValuesAndIndices (*choose)(const Tensor&, std::int64_t, bool), const Fold& fold,
                    const Domain& domain) {
  op.accepts = Accepts::numbers;
  op.accuracy = {.signed_zeros = false};  // of 0 and -0 the first
  const auto along = [&](const Shape& shape, std::int64_t axis, std::size_t dim, bool keepdim) {
    op.sample({.attributes = fmt::format("{} axis={}{}", to_string(shape), axis, keepdim ? ", keepdim" : ""),
               .inputs = {{.shape = shape, .domain = domain}},
               .apply = [=](const Tensor& x) { return choose(x, axis, keepdim).values; },
               .reference = reduced({dim}, keepdim, fold)});
  };
  along({5}, 0, 0, false);
  along({4}, -1, 0, false);
  along({3, 4}, 1, 1, false);
  along({3, 4}, 0, 0, true);
  along({2, 3, 2}, -2, 1, false);
  along({0, 3}, 1, 1, false);
  along({1}, 0, 0, true);
  op.throws<ShapeError>("axis 1 is out of range: 1 dimensions have the axes -1 to 0",
                        [=] { return choose(ones({3}), 1, false); });
  op.throws<ShapeError>("no elements to choose from: x is [2, 0], axis=1", [=] {
    return choose(ones({2, 0}), 1, false);
  });
}

const OpSamples median_samples(OpId::median, [](Op& op) {
  const auto fold = [](std::vector<Real> values) -> Real {
    if (has_nan(values)) return not_a_number;
    std::sort(values.begin(), values.end());
    return values[(values.size() - 1) / 2];
  };
  choice_samples(op, median, fold, {.low = -8, .high = 8, .apart = true});
  const auto whole = [](const Tensor& x) { return median(x).values; };
  op.exact({"the lower of two", {row({4, 1, 3, 2})}, whole, scalar(2), {row({0, 0, 0, 1})}});
  op.exact({"the first of a tie", {row({5, 2, 1, 2, 2})}, whole, scalar(2), {row({0, 1, 0, 0, 0})}});
  op.exact({"NaN wins", {row({1, nan, 2})}, whole, scalar(nan), {row({0, 1, 0})}});
  op.exact({"infinities", {row({inf, -inf, 7})}, whole, scalar(7), {row({0, 0, 1})}});
});

const OpSamples mode_samples(OpId::mode, [](Op& op) {
  const auto fold = [](const std::vector<Real>& values) -> Real {
    Real best = not_a_number;
    std::ptrdiff_t most = std::count_if(values.begin(), values.end(), [](Real v) { return std::isnan(v); });
    for (const Real v : values) {
      const std::ptrdiff_t count = std::count(values.begin(), values.end(), v);
      if (count > most || (count == most && (v < best || std::isnan(best)))) {
        most = count;
        best = v;
      }
    }
    return best;
  };
  choice_samples(op, mode, fold, {.low = -8, .high = 8, .apart = true});
  const auto whole = [](const Tensor& x) { return mode(x).values; };
  op.exact({"the first of the most frequent",
            {row({3, 1, 2, 2, 1, 2})},
            whole,
            scalar(2),
            {row({0, 0, 1, 0, 0, 0})}});
  op.exact({"the smallest of two", {row({3, 1, 3, 1})}, whole, scalar(1), {row({0, 1, 0, 0})}});
  op.exact({"NaN is one value", {row({3, nan, nan})}, whole, scalar(nan), {row({0, 1, 0})}});
  op.exact({"and the largest", {row({nan, 3})}, whole, scalar(3), {row({0, 1})}});
});

Fold quantile_of(double q) {
  return [q](std::vector<Real> values) -> Real {
    if (has_nan(values)) return not_a_number;
    std::sort(values.begin(), values.end());
    // Where the product of doubles is a place, the element there is meant.
    const double last = static_cast<double>(values.size() - 1), place = std::floor(q * last);
    const auto below = static_cast<std::size_t>(place);
    const Real rest =
        std::max<Real>(0, static_cast<Real>(q) * static_cast<Real>(last) - static_cast<Real>(place));
    return rest == 0 ? values[below] : values[below] * (1 - rest) + values[below + 1] * rest;
  };
}

const OpSamples quantile_samples(OpId::quantile, [](Op& op) {
  op.parts = {OpId::sort, OpId::slice, OpId::where, OpId::mul, OpId::add};
  // A share and two products are rounded, and terms of two signs may cancel.
  op.accuracy = {.ulps = 4, .by_magnitudes = true, .signed_zeros = false};
  for (const double q : {0.0, 0.25, 0.5, 0.7, 1.0}) {
    std::vector<ReductionCase> cases;
    for (const ReductionCase& c : cases_with_elements()) {
      if (q == 0.7 || (c.derivatives && c.shape.rank() == 2)) cases.push_back(c);
    }
    const Reduce of = [q](const Tensor& x, const ReduceOptions& o) { return quantile(x, q, o); };
    const Sample model{.attributes = fmt::format("q={}, ", q),
                       .inputs = {{.domain = {.low = -8, .high = 8, .apart = true}}}};
    reduction_samples(op, of, quantile_of(q), model, cases);
  }
  op.sample({.attributes = "q=0.5 and 0.1, [5, 2] axis 0",
             .inputs = {{.shape = {5, 2}, .domain = {.low = -8, .high = 8, .apart = true}}},
             .apply =
                 [](const Tensor& x) {
                   return quantile(x, std::vector{0.5, 0.1}, {.axes = {0}});
                 },
             .reference =
                 [](std::span<const Values> in) {
                   Values out = reduced({0}, false, quantile_of(0.5))(in);
                   const Values lower = reduced({0}, false, quantile_of(0.1))(in);
                   out.data.insert(out.data.end(), lower.data.begin(), lower.data.end());
                   out.shape = {2, 2};
                   return out;
                 }});
  const auto upper = [](const Tensor& x) { return quantile(x, 0.75); };
  op.exact({"on an element", {row({4, 0, 1, 3, 2})}, upper, scalar(3), {row({0, 0, 0, 1, 0})}});
  op.exact({"between two", {row({8, 0, 4})}, upper, scalar(6), {row({0.5, 0, 0.5})}});
  op.exact({"beside an infinity",
            {row({inf, 0, 1, 3, inf})},
            [](const Tensor& x) { return quantile(x, 0.5); },
            scalar(3),
            {row({0, 0, 0, 1, 0})}});
  op.exact({"between infinities", {row({inf, inf})}, upper, scalar(inf), {row({0.25, 0.75})}});
  op.exact({"NaN wins", {row({1, nan, 2})}, upper, scalar(nan), {row({0, 1, 0})}});
  op.throws<ValueError>("q must be from 0 to 1: got 1.5", [] { return quantile(ones({2}), 1.5); });
  op.throws<ValueError>("q must be from 0 to 1: got nan", [] { return quantile(ones({2}), nan); });
  op.throws<ValueError>("needs at least one q", [] { return quantile(ones({2}), std::vector<double>{}); });
  op.throws<ShapeError>("no elements to choose from: x is [2, 0], axes=[1]", [] {
    return quantile(ones({2, 0}), 0.5, {.axes = {1}});
  });
});

}}  // namespace xtgrad::testing
