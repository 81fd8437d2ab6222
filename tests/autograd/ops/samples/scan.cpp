// Samples of scans along an axis.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/scan.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr double inf = infinity;
constexpr double nan = not_a_number;

using Fold = std::function<Real(const std::vector<Real>&)>;

struct Case {
  Shape shape;
  std::int64_t axis;
  std::size_t dim;  // the axis as it is meant
  bool reverse = false;
  bool exclusive = false;
  bool derivatives = true;
};

/// Each element is folded anew from those that the scan has met: the square of the work.
SampleReference scanned(const Case& c, const Fold& fold) {
  return [=](std::span<const Values> in) {
    return fill(in[0].shape, [&](Index index) {
      const std::int64_t place = index[c.dim], n = in[0].shape[c.dim];
      std::vector<Real> met;
      for (std::int64_t i = 0; i < n; ++i) {
        index[c.dim] = c.reverse ? n - 1 - i : i;
        if (index[c.dim] == place && c.exclusive) break;
        met.push_back(in[0].at(index));
        if (index[c.dim] == place) break;
      }
      return fold(met);
    });
  };
}

std::string describe(const Case& c) {
  return fmt::format("{} axis={}{}{}", to_string(c.shape), c.axis, c.reverse ? ", reverse" : "",
                     c.exclusive ? ", exclusive" : "");
}

std::vector<Case> cases() {
  return {{{5}, 0, 0},
          {{5}, -1, 0, true},
          {{1}, 0, 0},
          {{3, 4}, 1, 1},
          {{4, 3}, 0, 0},
          {{2, 3, 2}, 1, 1, true},
          {{5, 3}, 1, 1, true},  // rows that are not as many as are scanned abreast
          {{0, 3}, 1, 1},
          {{3, 0}, 1, 1, true},
          {{61, 17}, 0, 0, true, false, false},
          {{9, 61}, 1, 1, false, false, false},
          {{3, 7, 300}, 1, 1, false, false, false}};
}

std::vector<Case> with_exclusive() {
  std::vector<Case> all = cases();
  all.insert(all.end(), {{{4}, 0, 0, false, true},
                         {{4}, 0, 0, true, true},
                         {{2, 3}, 0, 0, true, true},
                         {{3, 2}, 1, 1, false, true},
                         {{2, 0}, 1, 1, false, true}});
  return all;
}

using Scan = std::function<Tensor(const Tensor&, const Case&)>;

void scan_samples(Op& op, const Scan& scan, const Fold& fold, const Sample& model,
                  const std::vector<Case>& list) {
  for (const Case& c : list) {
    Sample sample = model;
    sample.attributes = describe(c);
    sample.inputs = {{.shape = c.shape, .domain = model.inputs[0].domain}};
    sample.apply = [=](const Tensor& x) { return scan(x, c); };
    sample.reference = scanned(c, fold);
    sample.derivatives = c.derivatives;
    sample.integers =
        model.integers && (c.derivatives || op.id != OpId::cumprod);  // products that wrap around
    op.sample(std::move(sample));
  }
  op.throws<ShapeError>("axis 2 is out of range: 2 dimensions have the axes -2 to 1", [=] {
    return scan(ones({2, 3}), {{}, 2, 0});
  });
  op.throws<ShapeError>("axis -1 is out of range: a 0-d tensor has no axes", [=] {
    return scan(ones({}), {{}, -1, 0});
  });
}

const OpSamples cumsum_samples(OpId::cumsum, [](Op& op) {
  op.accepts = Accepts::numbers;
  op.accuracy = {
      .ulps = correctly_rounded, .by_magnitudes = true, .ulps_per_addition = 0.5, .signed_zeros = false};
  const Scan scan = [](const Tensor& x, const Case& c) {
    return cumsum(x, {.axis = c.axis, .reverse = c.reverse, .exclusive = c.exclusive});
  };
  const Fold fold = [](const std::vector<Real>& met) {
    Real sum = 0;
    for (const Real v : met) sum += v;
    return sum;
  };
  scan_samples(op, scan, fold, {.inputs = {{}}, .linear_in = {0}}, with_exclusive());
  op.exact({"1 to 4",
            {row({1, 2, 3, 4})},
            [](const Tensor& x) { return cumsum(x); },
            row({1, 3, 6, 10}),
            {row({4, 3, 2, 1})}});
  op.exact({"exclusive, from behind",
            {row({1, 2, 3, 4})},
            [](const Tensor& x) { return cumsum(x, {.reverse = true, .exclusive = true}); },
            row({9, 7, 4, 0}),
            {row({0, 1, 2, 3})}});
  op.exact({"infinity and NaN stay",
            {row({1, inf, 2, -inf, 3})},
            [](const Tensor& x) { return cumsum(x); },
            row({1, inf, inf, nan, nan}),
            {row({5, 4, 3, 2, 1})}});
});

const OpSamples cumprod_samples(OpId::cumprod, [](Op& op) {
  op.accepts = Accepts::numbers;
  op.accuracy = {.ulps = 31, .nasty_ulps = 31};  // of at most 61 factors each is rounded by half a unit
  const Scan scan = [](const Tensor& x, const Case& c) {
    return cumprod(x, {.axis = c.axis, .reverse = c.reverse, .exclusive = c.exclusive});
  };
  const Fold fold = [](const std::vector<Real>& met) {
    Real product = 1;
    for (const Real v : met) product *= v;
    return product;
  };
  scan_samples(op, scan, fold, {.inputs = {{}}, .nasty = false}, with_exclusive());
  const auto whole = [](const Tensor& x) { return cumprod(x); };
  op.exact({"1 to 4", {row({1, 2, 3, 4})}, whole, row({1, 2, 6, 24}), {row({33, 16, 10, 6})}});
  op.exact({"one zero", {row({2, 0, 3, 5})}, whole, row({2, 0, 0, 0}), {row({1, 2 + 6 + 30, 0, 0})}});
  op.exact({"two zeros", {row({2, 0, 3, 0, 7})}, whole, row({2, 0, 0, 0, 0}), {row({1, 2 + 6, 0, 0, 0})}});
  op.exact({"exclusive, from behind",
            {row({2, 0, 3, 5})},
            [](const Tensor& x) { return cumprod(x, {.reverse = true, .exclusive = true}); },
            row({0, 15, 5, 1}),
            {row({0, 15, 5 + 0, 1 + 3 + 0})}});
  op.exact({"NaN stays", {row({2, nan, 0})}, whole, row({2, nan, nan}), {row({nan, 2 + 0, nan})}});
});

const OpSamples logcumsumexp_samples(OpId::logcumsumexp, [](Op& op) {
  // Of n exponentials the sum is rounded n times, and the logarithm of what is near 1 is near 0.
  op.accuracy = {.ulps = 32, .floor = 1};
  const Scan scan = [](const Tensor& x, const Case& c) {
    return logcumsumexp(x, {.axis = c.axis, .reverse = c.reverse});
  };
  const Fold fold = [](const std::vector<Real>& met) -> Real {
    Real largest = -infinity, sum = 0;
    for (const Real v : met) {
      if (std::isnan(v)) return v;
      largest = std::max(largest, v);
    }
    if (std::isinf(largest)) return largest;
    for (const Real v : met) sum += std::exp(v - largest);
    return largest + std::log(sum);
  };
  scan_samples(op, scan, fold, {.inputs = {{}}}, cases());
  const auto whole = [](const Tensor& x) { return logcumsumexp(x); };
  op.exact(
      {"-inf at first", {row({-inf, -inf, 3, -inf})}, whole, row({-inf, -inf, 3, 3}), {row({0, 0, 2, 0})}});
  op.exact({"far from 0", {row({-1000, 1000, -1000})}, whole, row({-1000, 1000, 1000}), {row({1, 2, 0})}});
});

template <class F>
void running_samples(Op& op, F running, bool largest) {
  op.accepts = Accepts::numbers;
  const Scan scan = [=](const Tensor& x, const Case& c) {
    return running(x, RunningOptions{.axis = c.axis, .reverse = c.reverse}).values;
  };
  const Fold fold = [=](const std::vector<Real>& met) {
    Real best = met[0];
    for (const Real v : met) {
      if (std::isnan(v)) return v;
      if (largest ? v > best : v < best) best = v;
    }
    return best;
  };
  scan_samples(op, scan, fold, {.inputs = {{.domain = {.low = -8, .high = 8, .apart = true}}}}, cases());
  op.sample({.attributes = "values and indices, [23], of few integers",
             .inputs = {{.shape = {23}, .domain = {.whole = true}}},
             .apply =
                 [=](const Tensor& x) {
                   const auto [values, indices] = running(x, {});
                   return values + indices.to(x.dtype());
                 },
             .reference =
                 [=](std::span<const Values> in) {
                   Values out = in[0];
                   std::size_t best = 0;
                   for (std::size_t i = 0; i < in[0].data.size(); ++i) {
                     const Real v = in[0].data[i], so_far = in[0].data[best];
                     if (largest ? v > so_far : v < so_far) best = i;
                     out.data[i] = in[0].data[best] + static_cast<Real>(best);
                   }
                   return out;
                 },
             .derivatives = false,
             .nasty = false,
             .combined = true});
  const double sign = largest ? 1 : -1;
  const auto of = [=](std::initializer_list<double> elements) {
    Values values = row(elements);
    for (Real& value : values.data) value *= sign;
    return values;
  };
  op.exact({"the first of a tie",
            {of({2, 5, 5, 2})},
            [=](const Tensor& x) { return running(x, {}).values; },
            of({2, 5, 5, 5}),
            {row({1, 3, 0, 0})}});
  op.exact({"the first of a tie, from behind",
            {of({2, 5, 5, 2})},
            [=](const Tensor& x) { return running(x, {.reverse = true}).values; },
            of({5, 5, 5, 2}),
            {row({0, 0, 3, 1})}});
  op.exact({"NaN wins, the first one",
            {row({1, nan, nan, 0})},
            [=](const Tensor& x) { return running(x, {}).values; },
            row({1, nan, nan, nan}),
            {row({1, 3, 0, 0})}});
}

const OpSamples cummax_samples(OpId::cummax, [](Op& op) {
  running_samples(
      op, [](const Tensor& x, const RunningOptions& o) { return cummax(x, o); }, true);
});
const OpSamples cummin_samples(OpId::cummin, [](Op& op) {
  running_samples(
      op, [](const Tensor& x, const RunningOptions& o) { return cummin(x, o); }, false);
});

}}  // namespace xtgrad::testing
