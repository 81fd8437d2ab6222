// A program may let the processor stop it at the first invalid operation or division by zero
// (feenableexcept): none is raised but by an element. What fills up a vector register behind the last one,
// the branch of a rule that is not taken, and comparisons with NaN must raise nothing.
#include <doctest/doctest.h>

#include <algorithm>
#include <cfenv>
#include <cmath>
#include <string>
#include <vector>

#include "tests/autograd/ops/op_walk.h"
#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr int harmful = FE_INVALID | FE_DIVBYZERO;

bool all_finite(const Tensor& x) {
  for (const double value : values(x)) {
    if (!std::isfinite(value)) return false;
  }
  return true;
}

/// What is raised by an operation and its rule, where all that they make is finite.
int raised_by(const Sample& sample, std::span<const Values> drawn, Dtype dtype) {
  const std::vector<Tensor> inputs = make_inputs(sample, drawn, dtype, true);
  std::feclearexcept(harmful);
  const Tensor y = sample.apply(inputs);
  std::vector<Tensor> made{y};
  if (y.requires_grad()) {
    for (Tensor& gradient :
         grad(std::vector{sum(y)}, differentiable_of(sample, inputs), {.allow_unused = true})) {
      if (gradient.defined()) made.push_back(gradient);
    }
  }
  const int raised = std::fetestexcept(harmful);
  std::feclearexcept(harmful);
  for (const Tensor& tensor : made) {
    if (!all_finite(tensor)) return 0;
  }
  return raised;
}

void check_exceptions(const Op& op, const Sample& sample, Random& random) {
  for (const Dtype dtype : {float32, float64}) {
    const std::string name(detail::to_string(op.id));
    CAPTURE(name);
    CAPTURE(sample.attributes);
    CAPTURE(to_string(sample.inputs[0].shape));
    CAPTURE(dtype);
    CHECK(raised_by(sample, draw_inputs(sample, dtype, random), dtype) == 0);
  }
}

TEST_CASE("no operation and no rule raises what its elements do not") {
  for (std::size_t i = 0; i < static_cast<std::size_t>(OpId::count_); ++i) {
    const Op op = describe(static_cast<OpId>(i));
    if (op.samples.empty()) continue;
    Random random(seed_of(op));
    for (const Sample& sample : op.samples) {
      if (sample.derivatives && !sample.inputs.empty()) check_exceptions(op, sample, random);
    }
    for (const Elementwise& elementwise : op.elementwise_operations) {
      Sample sample{
          .attributes = elementwise.attributes, .inputs = elementwise.inputs, .apply = elementwise.apply};
      for (std::int64_t n = 1; n <= 17; ++n) {
        for (Input& input : sample.inputs) input.shape = {n};
        check_exceptions(op, sample, random);
        sample.inputs[0].shape = {3, n};  // rows that do not end with a register
        check_exceptions(op, sample, random);
      }
    }
  }
}

TEST_CASE("nor is anything raised where a rule branches, if what it gives is finite") {
  for (std::size_t i = 0; i < static_cast<std::size_t>(OpId::count_); ++i) {
    const Op op = describe(static_cast<OpId>(i));
    for (const Elementwise& elementwise : op.elementwise_operations) {
      const Sample sample{
          .attributes = elementwise.attributes, .inputs = elementwise.inputs, .apply = elementwise.apply};
      for (const Point& point : elementwise.points) {
        if (!std::all_of(point.at.begin(), point.at.end(), [](double v) { return std::isfinite(v); }))
          continue;
        std::vector<Values> at;
        for (const double value : point.at) at.push_back(row({value, value, value}));
        const std::string name(detail::to_string(op.id));
        for (const Dtype dtype : {float32, float64}) {
          CAPTURE(name);
          CAPTURE(point.at[0]);
          CAPTURE(dtype);
          CHECK(raised_by(sample, at, dtype) == 0);
        }
      }
    }
  }
}

TEST_CASE("neither division nor what comes after it computes on what lies behind the elements") {
  for (const Dtype dtype : {float32, float64}) {
    for (std::int64_t n = 1; n <= 17; ++n) {
      CAPTURE(dtype);
      CAPTURE(n);
      const Tensor a = full({n}, 3, {.dtype = dtype, .requires_grad = true});
      const Tensor b = full({n}, 4, {.dtype = dtype, .requires_grad = true});
      std::feclearexcept(harmful);
      const Tensor y = sum(a / b + sqrt(a / b) + log(a) / pow(b, a));
      y.backward();
      CHECK(std::fetestexcept(harmful) == 0);
      // These do: the element's own.
      CHECK(std::isinf((b / (a - a)).at({n - 1})));
      CHECK((std::fetestexcept(harmful) & FE_DIVBYZERO) != 0);
      CHECK(std::isnan(((a - a) / (b - b)).at({n - 1})));
      CHECK((std::fetestexcept(harmful) & FE_INVALID) != 0);
      std::feclearexcept(harmful);
    }
  }
}

}}  // namespace xtgrad::v1::testing
