// A program may let the processor stop it at the first invalid operation or division by zero
// (feenableexcept): none is raised but by an element. What fills up a vector register behind the last one,
// the branch of a rule that is not taken, and comparisons with NaN must raise nothing.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cfenv>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "tests/autograd/kernels/levels.h"
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

bool has_nan(const Tensor& x) {
  const std::vector<double> all = values(x);
  return std::any_of(all.begin(), all.end(), [](double v) { return std::isnan(v); });
}

/// What `f` raises, but for an FE_INVALID of a result that is NaN though no operand was, whose own it is, and
/// an FE_DIVBYZERO of one that is infinite.
template <class F>
int raised_without_cause(bool was_nan, const F& f) {
  std::feclearexcept(harmful);
  const std::vector<Tensor> made = f();
  int raised = std::fetestexcept(harmful);
  std::feclearexcept(harmful);
  for (const Tensor& tensor : made) {
    if (!was_nan && has_nan(tensor)) raised &= ~FE_INVALID;
    if (!all_finite(tensor)) raised &= ~FE_DIVBYZERO;
  }
  return raised;
}

/// An elementwise operation and its gradients at one point, repeated in rows of every length.
void check_point_exceptions(const Op& op, const Elementwise& elementwise, std::span<const double> at,
                            Dtype dtype) {
  for (const std::int64_t n : {1, 2, 3, 4, 5, 6, 7, 8, 9, 64}) {
    std::vector<Tensor> inputs;
    for (std::size_t i = 0; i < at.size(); ++i) {
      const bool floating = elementwise.inputs[i].differentiable;
      if (!floating) return;
      inputs.push_back(full({n}, at[i], {.dtype = dtype, .requires_grad = true}));
    }
    const std::string name(detail::to_string(op.id));
    CAPTURE(name);
    CAPTURE(elementwise.attributes);
    CAPTURE(dtype);
    CAPTURE(n);
    CAPTURE(at[0]);
    CAPTURE(at.back());
    Tensor y;
    const bool was_nan = std::any_of(at.begin(), at.end(), [](double v) { return std::isnan(v); });
    CHECK(raised_without_cause(was_nan, [&] {
            y = elementwise.apply(inputs);
            return std::vector{y};
          }) == 0);
    if (!y.requires_grad()) continue;
    const Tensor ones_of_y = ones_like(y);
    CHECK(raised_without_cause(was_nan, [&] {
            return grad(std::vector{y}, inputs, {.cotangents = {ones_of_y}, .materialize_grads = true});
          }) == 0);
  }
}

TEST_CASE("nor at infinities, at NaN and at the ends of the range") {
  for (const Dtype dtype : {float32, float64}) {
    const bool narrow = dtype == float32;
    const double most = narrow ? std::numeric_limits<float>::max() : std::numeric_limits<double>::max();
    const double normal = narrow ? std::numeric_limits<float>::min() : std::numeric_limits<double>::min();
    const double least =
        narrow ? std::numeric_limits<float>::denorm_min() : std::numeric_limits<double>::denorm_min();
    std::vector<double> nasty{
        0, 1, 0.5, 100, 1000, most, normal, least, std::numeric_limits<double>::infinity()};
    for (std::size_t i = nasty.size(); i-- > 0;) nasty.push_back(-nasty[i]);
    nasty.push_back(std::numeric_limits<double>::quiet_NaN());
    for (std::size_t i = 0; i < static_cast<std::size_t>(OpId::count_); ++i) {
      const Op op = describe(static_cast<OpId>(i));
      for (const Elementwise& elementwise : op.elementwise_operations) {
        // What C++ says of NaN < 1 holds for them: it is an invalid operation.
        // SSE2 has no other comparison.
        const bool compares = elementwise.result != nullptr || !testing::lanes_fuse();
        for (const double a : nasty) {
          if (compares && std::isnan(a)) continue;
          if (elementwise.inputs.size() == 1) {
            check_point_exceptions(op, elementwise, std::array{a}, dtype);
            continue;
          }
          if (elementwise.inputs.size() != 2) continue;
          for (const double b : nasty) {
            if (!(compares && std::isnan(b)))
              check_point_exceptions(op, elementwise, std::array{a, b}, dtype);
          }
        }
      }
    }
  }
}

TEST_CASE("nor do sums of exponentials of infinities, and branches that are not taken") {
  constexpr double inf = std::numeric_limits<double>::infinity();
  const std::vector<double> rows[] = {
      {inf, 1}, {-inf, -inf}, {inf, -inf, 2}, {-inf, 1, 2}, {0, 1, 2, 3, 4, 5, 6, inf, 8}};
  for (const Dtype dtype : {float32, float64}) {
    for (const std::vector<double>& row : rows) {
      for (const bool in_columns : {false, true}) {
        CAPTURE(dtype);
        CAPTURE(row.size());
        CAPTURE(row[0]);
        const auto n = static_cast<std::int64_t>(row.size());
        const Tensor line = reshape(from_vector(row).to(dtype), in_columns ? Shape{n, 1} : Shape{1, n});
        const Tensor x = (in_columns ? broadcast_to(line, Shape{n, 5}) : line).detach().set_requires_grad();
        const std::int64_t axis = in_columns ? 0 : 1;
        CHECK(raised_without_cause(false, [&] {
                const Tensor y = logsumexp(x, {.axes = axis});
                return std::vector{y, grad({y}, x, {.cotangents = {ones_like(y)}})};
              }) == 0);
        CHECK(raised_without_cause(false, [&] { return std::vector{log_softmax(x, axis)}; }) == 0);
        const Tensor classes = zeros({in_columns ? 5 : 1}, {.dtype = int64});
        CHECK(raised_without_cause(false, [&] {
                const Tensor y = softmax_cross_entropy(x, classes, axis);
                return std::vector{y, grad({y}, x, {.cotangents = {ones_like(y)}})};
              }) == 0);
      }
    }
    // 0 times infinity would be in the branch not taken.
    const Tensor far = full({9}, inf, {.dtype = dtype});
    CHECK(raised_without_cause(false, [&] { return std::vector{leaky_relu(far, 0), elu(far, 0)}; }) == 0);
  }
}

TEST_CASE("NaN for a number raises nothing") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const Dtype dtype : {float32, float64}) {
    const Tensor x = ones({3}, {.dtype = dtype});
    const Tensor mask = x == 1;
    std::feclearexcept(harmful);
    const std::vector<Tensor> results{full({3}, nan, {.dtype = dtype}),
                                      x * nan,
                                      x + nan,
                                      nan / x,
                                      where(mask, nan, x),
                                      where(mask, x, nan)};
    CHECK(std::fetestexcept(harmful) == 0);
    CHECK(std::isnan(results[1].at({2})));
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
