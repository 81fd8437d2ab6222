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

// Both sides of the test at a zero cotangent are computed, not measured.
constexpr double linearity_tolerance = 1e-10;

}  // namespace

OrderCheck::OrderCheck(const CheckProblem& problem, const CheckGradsOptions& options, Random& random,
                       CheckGradsReport& report)
    : problem_(problem),
      options_(options),
      random_(random),
      report_(report),
      point_(problem, options),
      failure_(point_, report) {
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
  for (const Tensor& y : point_.pullback().outputs()) shapes.push_back(y.shape());
  return shapes;
}

bool OrderCheck::inputs_are_finite() {
  for (std::size_t i = 0; i < problem_.inputs.size(); ++i) {
    const Values x = values_of(problem_.inputs[i]);
    for (std::size_t e = 0; e < x.size(); ++e) {
      if (std::isfinite(x[e])) continue;
      failure_.set_input_place(i, e);
      return failure_.fail(Result::not_finite,
                           fmt::format("{} is {}; derivatives can be checked at finite points alone",
                                       failure_.input_place(), printable(x[e])));
    }
  }
  return true;
}

bool OrderCheck::values_are_finite() {
  for (std::size_t j = 0; j < point_.outputs(); ++j) {
    for (std::size_t r = point_.block(j).begin; r < point_.block(j).end; ++r) {
      if (std::isfinite(point_.center()[r])) continue;
      failure_.set_output_place(j, r - point_.block(j).begin);
      return failure_.fail(Result::not_finite, fmt::format("{} is {} at x itself", failure_.output_place(),
                                                           printable(point_.center()[r])));
    }
  }
  return true;
}

bool OrderCheck::values_repeat() {
  const Values again =
      point_.evaluate_along(0, Values(static_cast<std::size_t>(problem_.inputs[0].numel()), 0.0), 0);
  for (std::size_t j = 0; j < point_.outputs(); ++j) {
    // At higher orders the two values come from the rule's two evaluators, which may differ by rounding.
    const double allowed = 1e-10 * point_.values_size(j);
    for (std::size_t r = point_.block(j).begin; r < point_.block(j).end; ++r) {
      if (std::abs(again[r] - point_.center()[r]) <= allowed) continue;
      failure_.set_output_place(j, r - point_.block(j).begin);
      return failure_.fail(
          Result::not_repeatable,
          fmt::format("{} is {:.17g} with recording on and {:.17g} with recording off, for the same input; "
                      "if f has state or its own random numbers, put them back in before_evaluation",
                      failure_.output_place(), printable(point_.center()[r]), printable(again[r])));
    }
  }
  return true;
}

bool OrderCheck::take_gradients() {
  for (std::size_t j = 0; j < point_.outputs(); ++j) {
    const std::size_t size = point_.block(j).size();
    const std::size_t count = options_.full_jacobian ? size : static_cast<std::size_t>(options_.probes);
    for (std::size_t q = 0; q < count && size > 0; ++q) {
      Values u = options_.full_jacobian ? Values(size, 0.0) : random_probe(size, random_);
      if (options_.full_jacobian) u[q] = 1;
      std::vector<Values> gradients = point_.pull(j, u);
      if (!gradients_are_finite(j, gradients)) return false;
      point_.add_cotangent(j, {std::move(u), std::move(gradients)});
    }
  }
  return true;
}

bool OrderCheck::gradients_are_finite(std::size_t output, const std::vector<Values>& gradients) {
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    for (std::size_t e = 0; e < gradients[i].size(); ++e) {
      if (std::isfinite(gradients[i][e])) continue;
      report_.output = problem_.output_names[output];
      failure_.set_input_place(i, e);
      return failure_.fail(
          Result::not_finite,
          fmt::format("the gradient of {} in {} is {} by the rules, at order {}", report_.output,
                      failure_.input_place(), printable(gradients[i][e]), problem_.order));
    }
  }
  return true;
}

bool OrderCheck::check_input(std::size_t input) {
  const auto size = static_cast<std::size_t>(problem_.inputs[input].numel());
  if (size == 0) return true;
  const bool full = options_.full_jacobian;
  const double scale = scale_of(problem_.inputs[input]);
  std::vector<double> noticed(point_.outputs(), full ? 0 : std::numeric_limits<double>::infinity());
  const std::size_t count = full ? size : static_cast<std::size_t>(options_.probes);
  for (std::size_t p = 0; p < count; ++p) {
    Values v = full ? Values(size, 0.0) : random_probe(size, random_);
    if (full) v[p] = 1;
    for (double& entry : v) entry *= scale;
    if (!check_direction(input, v, noticed)) return false;
  }
  for (std::size_t j = 0; j < point_.outputs(); ++j) {
    if (point_.block(j).size() == 0) continue;
    report_.smallest_detectable = std::max(report_.smallest_detectable, noticed[j]);
    if (noticed[j] > options_.coarsest) return failure_.inconclusive(input, j, noticed[j]);
  }
  return true;
}

bool OrderCheck::check_direction(std::size_t input, const Values& v, std::vector<double>& noticed) {
  LineDerivative line = point_.differentiate(input, v);
  for (std::size_t j = 0; j < point_.outputs(); ++j) {
    if (point_.block(j).size() == 0) continue;
    const double expected = point_.gradient_norm(j, input, v);
    const double size =
        expected > 0 ? std::max(expected, zero_size * point_.values_size(j)) : point_.values_size(j);
    const double here = std::max(options_.tolerance, error_safety * line.relative_error(j, size));
    if (const std::optional<BlockDerivative>& derivative = line.derivative(j)) {
      for (const Cotangent& cotangent : point_.cotangents(j)) {
        const ComparedPlace place{j, cotangent.u, input, v};
        const Comparison found = point_.compare(place, *derivative, cotangent.gradients[input]);
        report_.worst_error = std::max(report_.worst_error, found.relative(found.difference()));
        if (found.differs()) return failure_.wrong(place, *derivative, found);
      }
    }
    if (here > options_.coarsest) {
      if (const auto irregular = line.irregularity(j)) return failure_.irregular(input, v, j, *irregular);
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
  for (std::size_t j = 0; j < point_.outputs(); ++j) {
    u.push_back(from_span(random_probe(point_.block(j).size(), random_), point_.output_shape(j)));
  }
  const NoGrad no_grad;
  const std::vector<Tensor> here = point_.pullback()(u);
  const std::vector<Tensor> there = zero_pullback(u);
  for (std::size_t i = first; i < at_zero.size(); ++i) {
    const Values a = values_of(here[i]);
    const Values b = values_of(there[i]);
    const double allowed = linearity_tolerance * norm(a.data(), a.size());
    for (std::size_t e = 0; e < a.size(); ++e) {
      if (std::abs(a[e] - b[e]) <= allowed) continue;
      failure_.set_input_place(i, e);
      report_.numeric = a[e];
      report_.analytic = b[e];
      failure_.fail(
          Result::not_linear,
          fmt::format(
              "a rule is not linear in its cotangent, at order {}: the derivative in {} is {:.10g} at a "
              "random cotangent and {:.10g} at zero; a rule must not ask whether its cotangent is zero; "
              "seed {}",
              problem_.order, failure_.input_place(), printable(a[e]), printable(b[e]), options_.seed));
    }
  }
  return true;
}

}  // namespace xtgrad::v1::detail
