#include "xtgrad/autograd/check/order_point.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"

namespace xtgrad::inline v1::detail {
namespace {

// What the rules' own rounding may make of a zero derivative, beside the values of f.
constexpr double rule_rounding = 1e-13;

// So many entries that recording a sweep, to run it again for the others, is paid back, as in jacobian.
constexpr std::size_t least_recorded = 96;

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

double dot(const Values& a, const double* b) {
  double total = 0;
  for (std::size_t i = 0; i < a.size(); ++i) total += a[i] * b[i];
  return total;
}

double Comparison::difference() const { return std::abs(numeric - analytic); }

OrderPoint::OrderPoint(const CheckProblem& problem, const CheckGradsOptions& options)
    : problem_(problem), options_(options), pullback_(vjp(problem.f, problem.inputs)) {
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
  cotangents_.resize(blocks_.size());
  if (options.full_jacobian && center_.size() >= least_recorded) map_.emplace(pullback_, problem.inputs);
}

void OrderPoint::add_cotangent(std::size_t output, Cotangent cotangent) {
  cotangents_[output].push_back(std::move(cotangent));
}

Values OrderPoint::evaluate_along(std::size_t input, const Values& v, double t) const {
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

std::vector<Values> OrderPoint::pull(std::size_t output, const Values& u) const {
  const NoGrad no_grad;
  std::vector<Tensor> cotangents(blocks_.size());
  cotangents[output] = from_span(u, output_shape(output));
  std::vector<Values> gradients;
  const std::vector<Tensor> pulled = map_ ? map_->transposed(cotangents) : pullback_(cotangents);
  for (const Tensor& gradient : pulled) gradients.push_back(values_of(gradient));
  return gradients;
}

double OrderPoint::gradient_norm(std::size_t output, std::size_t input, const Values& v) const {
  double largest = 0;
  for (const Cotangent& cotangent : cotangents_[output]) {
    largest = std::max(largest, product_norm(v, cotangent.gradients[input].data()));
  }
  return largest;
}

LineDerivative OrderPoint::differentiate(std::size_t input, const Values& v) const {
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

Comparison OrderPoint::compare(const ComparedPlace& place, const BlockDerivative& derivative,
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

}  // namespace xtgrad::v1::detail
