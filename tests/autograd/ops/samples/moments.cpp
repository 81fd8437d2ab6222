// Samples of variances and deviations.
#include <cmath>
#include <cstdint>
#include <vector>

#include "tests/autograd/ops/samples/reductions.h"
#include "xtgrad/autograd/functions/statistics.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr double inf = infinity;
constexpr double nan = not_a_number;

Real variance_of(const std::vector<Real>& values, std::int64_t correction) {
  const auto n = static_cast<Real>(values.size());
  Real mean = values[0], squares = 0;  // the rest as differences, which are 0 where all are equal
  for (const Real v : values) mean += (v - values[0]) / n;
  for (const Real v : values) squares += (v - mean) * (v - mean);
  return squares / std::max<Real>(0, n - static_cast<Real>(correction));
}

Reduce with_correction(std::int64_t correction) {
  return [=](const Tensor& x, const ReduceOptions& o) {
    return var(x, {.axes = o.axes, .correction = correction, .keepdim = o.keepdim});
  };
}

/// Those of more than one element, of which alone there is an unbiased variance.
std::vector<ReductionCase> cases_of_several() {
  std::vector<ReductionCase> cases;
  for (const ReductionCase& c : cases_with_elements()) {
    std::int64_t count = 1;
    for (const std::size_t d : c.dims) count *= c.shape[d];
    if (count > 1) cases.push_back(c);
  }
  return cases;
}

const OpSamples var_samples(OpId::var, [](Op& op) {
  // Deviations, squares and trees of sums of them are rounded, in float32 some of the latter in it.
  op.accuracy = {.ulps = 8};
  const auto unbiased = [](const std::vector<Real>& values) { return variance_of(values, 1); };
  const auto biased = [](const std::vector<Real>& values) { return variance_of(values, 0); };
  reduction_samples(op, with_correction(1), unbiased, {.inputs = {{}}}, cases_of_several());
  reduction_samples(op, with_correction(0), biased, {.inputs = {{}}},
                    {{{}, {}, {}}, {{4}, {}, {0}}, {{2, 3}, {0}, {0}}, {{1}, {0}, {0}, true}});
  reduction_samples(op, with_correction(1), unbiased, {.inputs = {{.domain = {.low = 1e4, .high = 1e4 + 2}}}},
                    {{{7}, {}, {0}}, {{600}, {}, {0}, false, false}});
  const auto whole = [](const Tensor& x) { return var(x); };
  op.exact({"of 4", {row({1, 2, 3, 6})}, whole, scalar(14.0 / 3), {}});
  op.exact({"of 4, biased",
            {row({1, 2, 3, 6})},
            [](const Tensor& x) { return var(x, {.correction = 0}); },
            scalar(3.5),
            {row({-1, -0.5, 0, 1.5})}});
  op.exact({"of equal numbers", {row({3, 3, 3, 3, 3})}, whole, scalar(0), {row({0, 0, 0, 0, 0})}});
  op.exact({"of one", {row({3})}, whole, scalar(nan), {row({nan})}});
  op.exact({"of none", {row({})}, whole, scalar(nan), {row({})}});
  op.exact({"of an infinity", {row({1, inf, 2})}, whole, scalar(nan), {row({nan, nan, nan})}});
});

const OpSamples stddev_samples(OpId::stddev, [](Op& op) {
  op.accuracy = {.ulps = 5};  // half of the variance's, and the root's
  const Reduce deviation = [](const Tensor& x, const ReduceOptions& o) {
    return stddev(x, {.axes = o.axes, .keepdim = o.keepdim});
  };
  const auto fold = [](const std::vector<Real>& values) { return std::sqrt(variance_of(values, 1)); };
  std::vector<ReductionCase> cases = cases_of_several();
  // Of two it is half their difference: of its higher derivatives nothing is left but rounding.
  for (ReductionCase& c : cases)
    c.derivatives = c.derivatives && !(c.shape == Shape{2, 3} && c.dims.size() == 1 && c.dims[0] == 0);
  reduction_samples(op, deviation, fold, {.inputs = {{}}}, cases);
  op.exact({"of 2",
            {row({1, 3})},
            [](const Tensor& x) { return stddev(x, {.correction = 0}); },
            scalar(1),
            {row({-0.5, 0.5})}});
  op.exact({"of equal numbers",
            {row({2, 2})},
            [](const Tensor& x) { return stddev(x); },
            scalar(0),
            {row({nan, nan})}});
  op.exact({"of an infinity",
            {row({1, inf, 2})},
            [](const Tensor& x) { return stddev(x); },
            scalar(nan),
            {row({nan, nan, nan})}});
});

const OpSamples var_mean_samples(OpId::var_mean, [](Op& op) {
  op.parts = {OpId::var, OpId::mean};
  op.accuracy = {.ulps = 16};
  const Reduce product = [](const Tensor& x, const ReduceOptions& o) {
    const auto [v, m] = var_mean(x, {.axes = o.axes, .keepdim = o.keepdim});
    return v * m;
  };
  const auto fold = [](const std::vector<Real>& values) {
    Real mean = 0;
    for (const Real v : values) mean += v / static_cast<Real>(values.size());
    return mean * variance_of(values, 1);
  };
  // Above 0, so that the mean does not cancel.
  reduction_samples(op, product, fold, {.inputs = {{.domain = {.low = 1}}}, .nasty = false},
                    cases_of_several());
});

}}  // namespace xtgrad::testing
