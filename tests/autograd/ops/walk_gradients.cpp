// The walk's checks of rules that need no numerical derivative: exact points, the two evaluators against each
// other, and adjoint pairs.
#include <fmt/format.h>

#include <cmath>

#include "tests/autograd/ops/op_walk.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::testing {
namespace {

// Exact points use these cotangents: powers of two, so that a derivative times one of them is exact, and not
// 1, which a rule could forget.
constexpr double first_cotangent = 4;
constexpr double second_cotangent = 0.5;

Values constant(const Shape& shape, Real value) {
  return fill(shape, [&](const Index&) { return value; });
}

Values scaled(Values values, Real factor) {
  for (Real& value : values.data) value *= factor;
  return values;
}

void compare_exactly(Findings& findings, const Sample& sample, const Tensor& got, const Values& want,
                     const std::string& what) {
  if (got.defined()) {
    compare(findings, got, rounded(want, got.dtype()),
            {.sample = sample, .what = what, .signed_zeros = false});
    return;
  }
  for (const Real value : want.data) {
    if (value == 0) continue;
    findings.add(sample, fmt::format("{}: no gradient at all, wanted {}", what, digits(value, float64)));
    return;
  }
}

/// Column `k` of the points' inputs, and of their other numbers.
Values column(const std::vector<Point>& points, const std::function<Real(const Point&)>& number) {
  Values values{{static_cast<std::int64_t>(points.size())}, {}};
  for (const Point& point : points) values.data.push_back(number(point));
  return values;
}

/// Second derivatives: the gradient of the gradient.
void check_hessian(const Sample& sample, const std::vector<Point>& points, Dtype dtype, Findings& findings) {
  std::vector<Values> at;
  for (std::size_t k = 0; k < sample.inputs.size(); ++k)
    at.push_back(column(points, [k](const Point& p) { return p.at[k]; }));
  const std::vector<Tensor> inputs = make_inputs(sample, at, dtype, true);
  const std::vector<Tensor> wanted = differentiable_of(sample, inputs);
  const Values g = constant(at[0].shape, first_cotangent);
  const std::vector<Tensor> first = gradients_of(sample, inputs, g, {.create_graph = true});
  const Tensor u = to_tensor(constant(at[0].shape, second_cotangent), dtype);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    std::vector<Tensor> second(wanted.size());
    if (first[i].defined() && first[i].requires_grad()) {
      second = grad(std::span(&first[i], 1), wanted,
                    {.cotangents = {u}, .keep_graph = true, .allow_unused = true});
    }
    for (std::size_t j = 0; j < wanted.size(); ++j) {
      const std::size_t entry = i * wanted.size() + j;
      const Values want = scaled(column(points, [&](const Point& p) { return p.hessian[entry]; }),
                                 first_cotangent * second_cotangent);
      compare_exactly(findings, sample, second[j], want,
                      fmt::format("second derivative {}{}, {}", i, j, to_string(dtype)));
    }
  }
}

void check_points(const Elementwise& operation, Dtype dtype, Findings& findings) {
  const std::vector<Point>& points = operation.points;
  const Sample sample{
      .attributes = operation.attributes, .inputs = operation.inputs, .apply = operation.apply};
  std::vector<Values> at;
  for (std::size_t k = 0; k < sample.inputs.size(); ++k)
    at.push_back(column(points, [k](const Point& p) { return p.at[k]; }));
  const std::vector<Tensor> inputs = make_inputs(sample, at, dtype, true);
  compare_exactly(findings, sample, sample.apply(inputs),
                  column(points, [](const Point& p) { return p.value; }),
                  fmt::format("value, {}", to_string(dtype)));
  if (!sample.apply(inputs).requires_grad()) return;
  const std::vector<Tensor> gradients = gradients_of(sample, inputs, constant(at[0].shape, first_cotangent));
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    const Values want =
        scaled(column(points, [i](const Point& p) { return p.gradient[i]; }), first_cotangent);
    compare_exactly(findings, sample, gradients[i], want,
                    fmt::format("gradient {}, {}", i, to_string(dtype)));
  }
  std::vector<Point> twice;
  for (const Point& point : points) {
    if (!point.hessian.empty()) twice.push_back(point);
  }
  if (!twice.empty()) check_hessian(sample, twice, dtype, findings);
}

void check_exact_case(const Exact& exact, Dtype dtype, Findings& findings) {
  Sample sample{
      .attributes = exact.what, .inputs = std::vector<Input>(exact.inputs.size()), .apply = exact.apply};
  for (std::size_t i = 0; i < sample.inputs.size(); ++i) {
    sample.inputs[i].role = exact.roles.empty() ? Role::floating : exact.roles[i];
    sample.inputs[i].differentiable = sample.inputs[i].role == Role::floating;
  }
  const std::vector<Tensor> inputs = make_inputs(sample, exact.inputs, dtype, true);
  compare_exactly(findings, sample, sample.apply(inputs), exact.value,
                  fmt::format("value, {}", to_string(dtype)));
  if (exact.gradients.empty()) return;
  const std::vector<Tensor> gradients =
      gradients_of(sample, inputs, constant(exact.value.shape, first_cotangent));
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    compare_exactly(findings, sample, gradients[i], scaled(exact.gradients[i], first_cotangent),
                    fmt::format("gradient {}, {}", i, to_string(dtype)));
  }
}

Values draw_cotangent(const Shape& shape, Dtype dtype, Random& random) {
  const Input like{.shape = shape, .domain = {.avoid = {0}}};
  return rounded(draw(std::span(&like, 1), random)[0], dtype);
}

/// Compares two gradients, either of which may be missing, by the limits and at the scale of the largest
/// element.
void compare_gradients(const Tensor& got, const Tensor& want, Comparison comparison, Findings& findings) {
  if (got.defined() != want.defined()) {
    findings.add(comparison.sample, fmt::format("{}: exists for one and not for the other", comparison.what));
  }
  if (!got.defined() || !want.defined()) return;
  const Values wanted = to_values(want);
  const Values scale = largest_everywhere(wanted);
  comparison.signed_zeros = false;
  comparison.scale = &scale;
  compare(findings, got, wanted, comparison);
}

/// A rule does no work for inputs that want nothing, and the others must not notice.
void check_one_at_a_time(const Sample& sample, const std::vector<Values>& values, const Values& cotangent,
                         const std::vector<Tensor>& together, Findings& findings) {
  std::size_t nth = 0;
  for (std::size_t i = 0; i < sample.inputs.size(); ++i) {
    if (!sample.inputs[i].differentiable) continue;
    Sample alone = sample;
    for (std::size_t k = 0; k < alone.inputs.size(); ++k) alone.inputs[k].differentiable = k == i;
    const std::vector<Tensor> inputs = make_inputs(alone, values, float64, true);
    const std::vector<Tensor> gradient = gradients_of(alone, inputs, cotangent);
    compare_gradients(gradient[0], together[nth],
                      {.sample = sample, .what = fmt::format("gradient {} alone against all together", i)},
                      findings);
    ++nth;
  }
}

void check_both_evaluators(const Op& op, const Sample& sample, Dtype dtype, Random& random,
                           Findings& findings) {
  const std::vector<Values> values = draw_inputs(sample, dtype, random);
  const std::vector<Tensor> inputs = make_inputs(sample, values, dtype, true);
  const Tensor y = sample.apply(inputs);
  const Values cotangent = draw_cotangent(y.shape(), y.dtype(), random);
  const std::vector<Tensor> on_lanes = gradients_of(sample, inputs, cotangent);
  const std::vector<Tensor> on_tensors = gradients_of(sample, inputs, cotangent, {.create_graph = true});
  const std::vector<Tensor> wanted = differentiable_of(sample, inputs);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (on_lanes[i].defined() && (on_lanes[i].shape() != wanted[i].shape() || on_lanes[i].dtype() != dtype)) {
      findings.add(sample, fmt::format("gradient {} is {} {}, the input {} {}", i,
                                       to_string(on_lanes[i].dtype()), to_string(on_lanes[i].shape()),
                                       to_string(dtype), to_string(wanted[i].shape())));
    }
    compare_gradients(on_lanes[i], on_tensors[i],
                      {.sample = sample,
                       .what = fmt::format("gradient {}, lanes against tensors, {}", i, to_string(dtype)),
                       .ulps = op.accuracy.gradient_ulps,
                       .floor = gradient_floor(op, cotangent)},
                      findings);
  }
  if (dtype == float64) check_one_at_a_time(sample, values, cotangent, on_lanes, findings);
}

}  // namespace

void check_exact(const Op& op, Findings& findings) {
  for (const Dtype dtype : {float32, float64}) {
    for (const Elementwise& operation : op.elementwise_operations) {
      if (!operation.points.empty()) check_points(operation, dtype, findings);
    }
    for (const Exact& exact : op.exacts) check_exact_case(exact, dtype, findings);
  }
}

void check_evaluators(const Op& op, Findings& findings) {
  if (op.kind == Kind::constant) return;
  Random random = random_for(op, Check::evaluators);
  for (const Sample& sample : op.samples) {
    for (const Dtype dtype : {float32, float64}) check_both_evaluators(op, sample, dtype, random, findings);
  }
}

namespace {

struct InnerProduct {
  Real sum = 0;
  Real magnitude = 0;
};

InnerProduct inner_product(const Values& a, const Values& b) {
  InnerProduct product;
  for (std::size_t i = 0; i < a.data.size(); ++i) {
    product.sum += a.data[i] * b.data[i];
    product.magnitude += std::abs(a.data[i] * b.data[i]);
  }
  return product;
}

/// <A x, y> and <x, A'y> for input `i`, where A is the operation less its value at x = 0.
void check_adjoint_in(const Sample& original, std::size_t i, Dtype dtype, Random& random,
                      Findings& findings) {
  Sample sample = original.linear_exactly ? with_integers(original) : original;
  for (std::size_t k = 0; k < sample.inputs.size(); ++k) sample.inputs[k].differentiable = k == i;
  std::vector<Values> values = draw_inputs(sample, dtype, random);
  const std::vector<Tensor> inputs = make_inputs(sample, values, dtype, true);
  Values image = to_values(sample.apply(inputs));
  std::vector<Values> at_zero = values;
  for (Real& value : at_zero[i].data) value = 0;
  const Values offset = to_values(sample.apply(make_inputs(sample, at_zero, dtype, false)));
  for (std::size_t k = 0; k < image.data.size(); ++k) image.data[k] -= offset.data[k];

  const Input like{.shape = image.shape, .domain = {.low = -4, .high = 4, .whole = true}};
  const Values y = draw(std::span(&like, 1), random)[0];
  const Tensor adjoint = gradients_of(sample, inputs, y)[0];
  if (!adjoint.defined()) {
    findings.add(sample, fmt::format("input {} gets no gradient", i));
    return;
  }
  const InnerProduct left = inner_product(image, y);
  const InnerProduct right = inner_product(values[i], to_values(adjoint));
  const Real scale = std::max(left.magnitude, right.magnitude);
  const double ulps = ulps_between(left.sum, right.sum, dtype, {.scale = scale, .signed_zeros = false});
  constexpr double rounding = 4;
  if (ulps <= (sample.linear_exactly ? 0 : rounding)) return;
  findings.add(sample, fmt::format("input {}, {}: <Ax, y> is {}, <x, A'y> is {}", i, to_string(dtype),
                                   digits(left.sum, float64), digits(right.sum, float64)));
}

}  // namespace

void check_adjoint(const Op& op, Findings& findings) {
  Random random = random_for(op, Check::adjoint);
  for (const Sample& sample : op.samples) {
    for (const std::size_t i : sample.linear_in) {
      for (const Dtype dtype : {float32, float64}) check_adjoint_in(sample, i, dtype, random, findings);
    }
  }
}

}  // namespace xtgrad::testing
