#include "xtgrad/autograd/check/order.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"

namespace xtgrad::inline v1::detail {
namespace {

using Result = CheckGradsReport::Result;

// The numerical error is estimated from three samples; a smaller factor would make unlucky ones false alarms.
constexpr double error_safety = 20;
// A derivative that is this small beside the values of f may be the rounding error of a zero; that it cannot
// be measured to `coarsest` of its own size is then no failure.
constexpr double zero_size = 1e-6;
// What the rules' own rounding may make of a zero derivative, beside the values of f.
constexpr double rule_rounding = 1e-13;
// Both sides of the test at a zero cotangent are computed, not measured.
constexpr double linearity_tolerance = 1e-10;

double dot(const Values& a, const double* b) {
  double total = 0;
  for (std::size_t i = 0; i < a.size(); ++i) total += a[i] * b[i];
  return total;
}

/// 2-norm of the elementwise product.
double product_norm(const Values& a, const double* b) {
  Values product(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) product[i] = a[i] * b[i];
  return norm(product.data(), product.size());
}

}  // namespace

Values values_of(const Tensor& x) {
  const std::span<const double> data = x.data<double>();
  return {data.begin(), data.end()};
}

double printable(double x) { return std::isnan(x) ? std::numeric_limits<double>::quiet_NaN() : x; }

double OrderCheck::Comparison::difference() const { return std::abs(numeric - analytic); }

OrderCheck::OrderCheck(const CheckProblem& problem, const CheckGradsOptions& options, Random& random,
                       CheckGradsReport& report)
    : problem_(problem),
      options_(options),
      random_(random),
      report_(report),
      pullback_(vjp(problem.f, problem.inputs)) {
  std::size_t offset = 0;
  for (const Tensor& y : pullback_.outputs()) {
    const auto size = static_cast<std::size_t>(y.numel());
    blocks_.push_back({offset, offset + size});
    offset += size;
    const Values values = values_of(y);
    center_.insert(center_.end(), values.begin(), values.end());
    // Values far below what is natural, such as a gradient that is zero but for rounding, are all noise.
    const double natural = problem.natural_sizes[values_sizes_.size()];
    values_sizes_.push_back(std::max(norm(values.data(), values.size()), natural));
  }
  report_.order = problem.order;
}

void OrderCheck::run() {
  if (!inputs_are_finite() || !values_are_finite() || !values_repeat() || !take_gradients()) return;
  for (std::size_t input = 0; input < problem_.inputs.size(); ++input) {
    if (!check_input(input)) return;
  }
  if (problem_.new_cotangents > 0) check_zero_cotangent();
}

std::vector<Shape> OrderCheck::output_shapes() const {
  std::vector<Shape> shapes;
  for (const Tensor& y : pullback_.outputs()) shapes.push_back(y.shape());
  return shapes;
}

Values OrderCheck::evaluate_along(std::size_t input, const Values& v, double t) const {
  const NoGrad no_grad;
  Values x = values_of(problem_.inputs[input]);
  for (std::size_t e = 0; e < x.size(); ++e) x[e] += t * v[e];
  std::vector<Tensor> arguments = problem_.inputs;
  arguments[input] = from_span(x, input_shape(input));
  const std::vector<Tensor> outputs = problem_.f(arguments);
  Values values;
  values.reserve(center_.size());
  for (std::size_t j = 0; j < outputs.size(); ++j) {
    if (outputs[j].shape() != output_shape(j)) {
      throw ValueError(fmt::format("check_grads: {}: {} has shape {} beside x and {} at x", options_.name,
                                   problem_.output_names[j], to_string(outputs[j].shape()),
                                   to_string(output_shape(j))));
    }
    const std::span<const double> data = outputs[j].data<double>();
    values.insert(values.end(), data.begin(), data.end());
  }
  return values;
}

bool OrderCheck::inputs_are_finite() {
  for (std::size_t i = 0; i < problem_.inputs.size(); ++i) {
    const Values x = values_of(problem_.inputs[i]);
    for (std::size_t e = 0; e < x.size(); ++e) {
      if (std::isfinite(x[e])) continue;
      set_input_place(i, e);
      return fail(Result::not_finite,
                  fmt::format("{} is {}; derivatives can be checked at finite points alone", input_place(),
                              printable(x[e])));
    }
  }
  return true;
}

bool OrderCheck::values_are_finite() {
  for (std::size_t j = 0; j < blocks_.size(); ++j) {
    for (std::size_t r = blocks_[j].begin; r < blocks_[j].end; ++r) {
      if (std::isfinite(center_[r])) continue;
      set_output_place(j, r - blocks_[j].begin);
      return fail(Result::not_finite,
                  fmt::format("{} is {} at x itself", output_place(), printable(center_[r])));
    }
  }
  return true;
}

bool OrderCheck::values_repeat() {
  const Values again =
      evaluate_along(0, Values(static_cast<std::size_t>(problem_.inputs[0].numel()), 0.0), 0);
  for (std::size_t j = 0; j < blocks_.size(); ++j) {
    // At higher orders the two values come from the rule's two evaluators, which may differ by rounding.
    const double allowed = 1e-10 * values_sizes_[j];
    for (std::size_t r = blocks_[j].begin; r < blocks_[j].end; ++r) {
      if (std::abs(again[r] - center_[r]) <= allowed) continue;
      set_output_place(j, r - blocks_[j].begin);
      return fail(
          Result::not_repeatable,
          fmt::format("{} is {:.17g} with recording on and {:.17g} with recording off, for the same input; "
                      "if f has state or its own random numbers, put them back in before_evaluation",
                      output_place(), printable(center_[r]), printable(again[r])));
    }
  }
  return true;
}

std::vector<Values> OrderCheck::pull(std::size_t output, const Values& u) const {
  const NoGrad no_grad;
  std::vector<Tensor> cotangents(blocks_.size());
  cotangents[output] = from_span(u, output_shape(output));
  std::vector<Values> gradients;
  for (const Tensor& gradient : pullback_(cotangents)) gradients.push_back(values_of(gradient));
  return gradients;
}

bool OrderCheck::take_gradients() {
  cotangents_.resize(blocks_.size());
  for (std::size_t j = 0; j < blocks_.size(); ++j) {
    const std::size_t size = blocks_[j].size();
    const std::size_t count = options_.full_jacobian ? size : static_cast<std::size_t>(options_.probes);
    for (std::size_t q = 0; q < count && size > 0; ++q) {
      Values u = options_.full_jacobian ? Values(size, 0.0) : random_probe(size, random_);
      if (options_.full_jacobian) u[q] = 1;
      std::vector<Values> gradients = pull(j, u);
      if (!gradients_are_finite(j, gradients)) return false;
      cotangents_[j].push_back({std::move(u), std::move(gradients)});
    }
  }
  return true;
}

bool OrderCheck::gradients_are_finite(std::size_t output, const std::vector<Values>& gradients) {
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    for (std::size_t e = 0; e < gradients[i].size(); ++e) {
      if (std::isfinite(gradients[i][e])) continue;
      report_.output = problem_.output_names[output];
      set_input_place(i, e);
      return fail(Result::not_finite,
                  fmt::format("the gradient of {} in {} is {} by the rules, at order {}", report_.output,
                              input_place(), printable(gradients[i][e]), problem_.order));
    }
  }
  return true;
}

double OrderCheck::gradient_norm(std::size_t output, std::size_t input, const Values& v) const {
  double largest = 0;
  for (const Cotangent& cotangent : cotangents_[output]) {
    largest = std::max(largest, product_norm(v, cotangent.gradients[input].data()));
  }
  return largest;
}

LineDerivative OrderCheck::differentiate(std::size_t input, const Values& v) const {
  Values sizes;
  for (std::size_t j = 0; j < blocks_.size(); ++j) {
    // Where the rules say zero there is no size of a derivative to speak of: it is zero beside the values.
    const double expected = gradient_norm(j, input, v);
    sizes.push_back(expected > 0 ? expected : values_sizes_[j]);
  }
  LineDerivative line([this, input, &v](double t) { return evaluate_along(input, v, t); }, center_, blocks_);
  line.run(options_.tolerance / error_safety, sizes, values_sizes_);
  return line;
}

OrderCheck::Comparison OrderCheck::compare(const Place& place, const BlockDerivative& derivative,
                                           const Values& gradient) const {
  const double own_size =
      std::max(product_norm(place.u, derivative.value.data()), product_norm(place.v, gradient.data()));
  const double values = values_sizes_[place.output];
  const double error = product_norm(place.u, derivative.error.data());
  return {
      .numeric = dot(place.u, derivative.value.data()),
      .analytic = dot(place.v, gradient.data()),
      .size = std::max(own_size, zero_size * values),
      .threshold = std::max({options_.tolerance * own_size, error_safety * error, rule_rounding * values})};
}

bool OrderCheck::check_input(std::size_t input) {
  const auto size = static_cast<std::size_t>(problem_.inputs[input].numel());
  if (size == 0) return true;
  const bool full = options_.full_jacobian;
  const double scale = scale_of(problem_.inputs[input]);
  std::vector<double> noticed(blocks_.size(), full ? 0 : std::numeric_limits<double>::infinity());
  const std::size_t count = full ? size : static_cast<std::size_t>(options_.probes);
  for (std::size_t p = 0; p < count; ++p) {
    Values v = full ? Values(size, 0.0) : random_probe(size, random_);
    if (full) v[p] = 1;
    for (double& entry : v) entry *= scale;
    if (!check_direction(input, v, noticed)) return false;
  }
  for (std::size_t j = 0; j < blocks_.size(); ++j) {
    if (blocks_[j].size() == 0) continue;
    report_.smallest_detectable = std::max(report_.smallest_detectable, noticed[j]);
    if (noticed[j] > options_.coarsest) return report_inconclusive(input, j, noticed[j]);
  }
  return true;
}

bool OrderCheck::check_direction(std::size_t input, const Values& v, std::vector<double>& noticed) {
  LineDerivative line = differentiate(input, v);
  for (std::size_t j = 0; j < blocks_.size(); ++j) {
    if (blocks_[j].size() == 0) continue;
    const double expected = gradient_norm(j, input, v);
    const double size = expected > 0 ? std::max(expected, zero_size * values_sizes_[j]) : values_sizes_[j];
    const double here = std::max(options_.tolerance, error_safety * line.relative_error(j, size));
    if (const std::optional<BlockDerivative>& derivative = line.derivative(j)) {
      for (const Cotangent& cotangent : cotangents_[j]) {
        const Place place{j, cotangent.u, input, v};
        const Comparison found = compare(place, *derivative, cotangent.gradients[input]);
        report_.worst_error = std::max(report_.worst_error, found.relative(found.difference()));
        if (found.differs()) return report_wrong(place, *derivative, found);
      }
    }
    if (here > options_.coarsest) {
      if (const auto irregular = line.irregularity(j)) return report_irregular(input, v, j, *irregular);
    }
    // A random direction sees the whole input, one of the full Jacobian's a single element.
    noticed[j] = options_.full_jacobian ? std::max(noticed[j], here) : std::min(noticed[j], here);
  }
  return true;
}

/// The derivative in the newest cotangents does not depend on them, so it is the same where they are zero. A
/// rule that takes a short cut there breaks forward mode and shows nowhere else.
bool OrderCheck::check_zero_cotangent() {
  std::vector<Tensor> at_zero = problem_.inputs;
  const std::size_t first = at_zero.size() - problem_.new_cotangents;
  for (std::size_t i = first; i < at_zero.size(); ++i) at_zero[i] = zeros_like(at_zero[i]);
  const Pullback zero_pullback = vjp(problem_.f, at_zero);
  std::vector<Tensor> u;
  for (std::size_t j = 0; j < blocks_.size(); ++j) {
    u.push_back(from_span(random_probe(blocks_[j].size(), random_), output_shape(j)));
  }
  const NoGrad no_grad;
  const std::vector<Tensor> here = pullback_(u);
  const std::vector<Tensor> there = zero_pullback(u);
  for (std::size_t i = first; i < at_zero.size(); ++i) {
    const Values a = values_of(here[i]);
    const Values b = values_of(there[i]);
    const double allowed = linearity_tolerance * norm(a.data(), a.size());
    for (std::size_t e = 0; e < a.size(); ++e) {
      if (std::abs(a[e] - b[e]) <= allowed) continue;
      set_input_place(i, e);
      report_.numeric = a[e];
      report_.analytic = b[e];
      fail(Result::not_linear,
           fmt::format(
               "a rule is not linear in its cotangent, at order {}: the derivative in {} is {:.10g} at a "
               "random cotangent and {:.10g} at zero; a rule must not ask whether its cotangent is zero; "
               "seed {}",
               problem_.order, input_place(), printable(a[e]), printable(b[e]), options_.seed));
    }
  }
  return true;
}

}  // namespace xtgrad::v1::detail
