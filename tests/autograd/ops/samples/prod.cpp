// Samples of products over axes.
#include <vector>

#include "tests/autograd/ops/samples/reductions.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr double inf = infinity;
constexpr double nan = not_a_number;

const OpSamples prod_samples(OpId::prod, [](Op& op) {
  op.accepts = Accepts::numbers;
  op.accuracy = {.ulps = 12};  // of at most 24 factors each is rounded by half a unit
  const auto fold = [](const std::vector<Real>& values) {
    Real product = 1;
    for (const Real v : values) product *= v;
    return product;
  };
  std::vector<ReductionCase> few;
  for (const ReductionCase& c : cases_with_and_without_elements()) {
    if (c.derivatives) few.push_back(c);
  }
  reduction_samples(op, prod, fold, {.inputs = {{}}}, few);
  const Sample large{.inputs = {{}}, .integers = false};  // which would wrap around
  reduction_samples(op, prod, fold, large,
                    {{{300, 17}, {1}, {1}, false, false}, {{7, 300}, {0}, {0}, true, false}});
  const auto whole = [](const Tensor& x) { return prod(x); };
  op.exact({"1 to 4", {row({1, 2, 3, 4})}, whole, scalar(24), {row({24, 12, 8, 6})}});
  op.exact({"one zero", {row({2, 0, 3})}, whole, scalar(0), {row({0, 6, 0})}});
  op.exact({"two zeros", {row({2, 0, 3, 0})}, whole, scalar(0), {row({0, 0, 0, 0})}});
  op.exact({"of none", {row({})}, whole, scalar(1), {row({})}});
  op.exact({"0 times infinity", {row({0, inf, 2})}, whole, scalar(nan), {row({inf, 0, nan})}});
});

}}  // namespace xtgrad::testing
