// Samples of norms; those of p = 1 and infinity, which are made of other operations, in norm_test.cpp.
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

Fold length_of(double p) {
  return [p](const std::vector<Real>& values) -> Real {
    Real largest = 0, sum = 0;
    for (const Real v : values) {
      if (std::isnan(v)) return v;
      largest = std::max(largest, std::abs(v));
    }
    if (largest == 0 || std::isinf(largest)) return largest;
    for (const Real v : values) sum += std::pow(std::abs(v) / largest, static_cast<Real>(p));
    return largest * std::pow(sum, 1 / static_cast<Real>(p));
  };
}

const OpSamples norm_samples(OpId::norm, [](Op& op) {
  op.parts = {OpId::permute, OpId::reshape};
  // Plain, the length is the double; recorded, it is rounded, and so is its quotient.
  op.accuracy = {.ulps = 4, .gradient_ulps = 3};
  for (const double p : {2.0, 3.0, 1.5, 0.5}) {
    const Reduce of = [p](const Tensor& x, const ReduceOptions& o) {
      return norm(x, {.p = p, .axes = o.axes, .keepdim = o.keepdim});
    };
    std::vector<ReductionCase> cases = cases_with_and_without_elements();
    if (p != 2) cases = {{{4}, {}, {0}}, {{2, 3}, {0}, {0}}, {{2, 3}, {1}, {1}, true}, {{0}, {}, {0}}};
    for (const ReductionCase& c : cases) {
      // Other axes than the last are moved there first, and what comes out is given its shape.
      const bool is_last = c.dims.size() == 1 && c.dims[0] + 1 == c.shape.rank();
      // At the ends of the range the recorded rule has the digits of the rounded length, which differ.
      reduction_samples(op, of, length_of(p),
                        {.attributes = fmt::format("p={}, ", p),
                         .inputs = {{.domain = {.avoid = {0}}}},
                         .nasty = false,
                         .combined = !is_last},
                        {c});
    }
  }
  const auto whole = [](const Tensor& x) { return norm(x); };
  op.exact({"of ones", {row({1, -1, 1, 1})}, whole, scalar(2), {row({0.5, -0.5, 0.5, 0.5})}});
  op.exact({"of zeros", {row({0, 0, 0})}, whole, scalar(0), {row({0, 0, 0})}});
  op.exact({"an infinity", {row({1, -inf})}, whole, scalar(inf), {row({0, -1})}});
  op.exact({"NaN", {row({1, nan})}, whole, scalar(nan), {row({nan, nan})}});
  op.throws<ValueError>("p must be at least 0, or -infinity: got -1",
                        [] { return norm(ones({2}), {.p = -1}); });
  op.throws<ValueError>("p must be at least 0, or -infinity: got nan",
                        [] { return norm(ones({2}), {.p = nan}); });
});

}}  // namespace xtgrad::testing
