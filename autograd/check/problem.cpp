#include "xtgrad/autograd/check/problem.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "xtgrad/autograd/check/line_derivative.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"

namespace xtgrad::inline v1::detail {
namespace {

/// The user's function seen from outside: what differs between inputs that are checked and those that are
/// not.
struct UserFunction {
  TensorFunction f;
  std::vector<Tensor> inputs;          // as given, the floating ones converted
  std::vector<std::size_t> variables;  // positions of the floating ones
  std::vector<std::size_t> results;    // positions of the floating outputs
  Callable<void()> before_evaluation;
  std::uint64_t random_seed;
  std::uint64_t random_position;
  std::int64_t* evaluations;

  std::vector<Tensor> call(std::span<const Tensor> x) const {
    const bool recording = is_recording();
    std::vector<Tensor> arguments = inputs;
    for (std::size_t i = 0; i < variables.size(); ++i) {
      arguments[variables[i]] = x[i].requires_grad() ? x[i] : x[i].detach().set_requires_grad();
    }
    if (before_evaluation) before_evaluation();
    default_random().set_state(random_seed, random_position);
    ++*evaluations;
    // f may take gradients itself, also where values alone are asked for.
    const EnableGrad record;
    std::vector<Tensor> values = f(arguments);
    for (Tensor& value : values) {
      if (!recording && value.defined()) value = value.detach();
    }
    return values;
  }
};

std::string ordinal_gradient(int order, const std::string& name) {
  constexpr const char* words[] = {"", "gradient", "second gradient", "third gradient"};
  if (order < 4) return fmt::format("{} in {}", words[order], name);
  return fmt::format("{}th gradient in {}", order, name);
}

}  // namespace

CheckProblem first_order(const TensorFunction& f, std::span<const Tensor> inputs,
                         const CheckGradsOptions& options, std::int64_t& evaluations) {
  UserFunction user{f,
                    {},
                    {},
                    {},
                    options.before_evaluation,
                    default_random().seed(),
                    default_random().position(),
                    &evaluations};
  CheckProblem problem;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].defined()) throw ValueError(fmt::format("check_grads: input {} is an empty handle", i));
    if (!is_floating(inputs[i].dtype())) {
      user.inputs.push_back(inputs[i]);
      continue;
    }
    // detach first: the same handle given twice must become two variables, and no history is wanted
    user.inputs.push_back(inputs[i].detach().to(Dtype::float64));
    user.variables.push_back(i);
    problem.inputs.push_back(user.inputs.back());
    problem.input_names.push_back(options.input_names.empty() ? fmt::format("input {}", i)
                                                              : options.input_names[i]);
  }
  if (user.variables.empty()) {
    throw ValueError(
        fmt::format("check_grads: {}: none of the {} inputs is float32 or float64, so there is nothing to "
                    "check",
                    options.name, inputs.size()));
  }
  const std::vector<Tensor> outputs = user.call(problem.inputs);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (!outputs[i].defined()) {
      throw ValueError(fmt::format("check_grads: {}: output {} is an empty handle", options.name, i));
    }
    if (!is_floating(outputs[i].dtype())) continue;
    user.results.push_back(i);
    problem.output_names.push_back(fmt::format("output {}", i));
  }
  if (user.results.empty()) {
    throw ValueError(
        fmt::format("check_grads: {}: none of the {} outputs is float32 or float64, so there is nothing "
                    "to check",
                    options.name, outputs.size()));
  }
  problem.natural_sizes.assign(user.results.size(), 0.0);
  const std::size_t count = outputs.size();
  problem.f = [user = std::move(user), count, name = options.name](std::span<const Tensor> x) {
    const std::vector<Tensor> all = user.call(x);
    if (all.size() != count) {
      throw ValueError(
          fmt::format("check_grads: {}: returned {} outputs, and {} before", name, all.size(), count));
    }
    std::vector<Tensor> results;
    for (const std::size_t i : user.results) results.push_back(all[i].to(Dtype::float64));
    return results;
  };
  return problem;
}

CheckProblem next_order(const CheckProblem& problem, const std::vector<Shape>& output_shapes, double size,
                        Random& random) {
  CheckProblem next;
  next.order = problem.order + 1;
  next.new_cotangents = output_shapes.size();
  next.inputs = problem.inputs;
  next.input_names = problem.input_names;
  for (std::size_t j = 0; j < output_shapes.size(); ++j) {
    const Shape& shape = output_shapes[j];
    next.inputs.push_back(from_span(random_probe(static_cast<std::size_t>(shape.numel()), random), shape));
    next.input_names.push_back(fmt::format("cotangent of {}", problem.output_names[j]));
  }
  for (const std::string& name : problem.input_names)
    next.output_names.push_back(ordinal_gradient(problem.order, name));
  for (const Tensor& x : problem.inputs) next.natural_sizes.push_back(size / scale_of(x));
  next.f = [f = problem.f, n = problem.inputs.size()](std::span<const Tensor> arguments) {
    return vjp(f, arguments.first(n))(arguments.subspan(n));
  };
  return next;
}

std::vector<double> random_probe(std::size_t size, Random& random) {
  const Tensor draws =
      uniform({static_cast<std::int64_t>(size)}, {.low = -1}, random, {.dtype = Dtype::float64});
  const std::span<const double> data = draws.data<double>();
  std::vector<double> probe(data.begin(), data.end());
  for (double& entry : probe) entry = entry < 0 ? 0.5 * (entry - 1) : 0.5 * (entry + 1);
  return probe;
}

double scale_of(const Tensor& x) {
  const std::span<const double> data = x.data<double>();
  const double rms = norm(data.data(), data.size()) / std::sqrt(static_cast<double>(data.size()));
  return rms > 0 ? rms : 1;
}

std::vector<std::int64_t> index_of(const Shape& shape, std::size_t offset) {
  std::vector<std::int64_t> index(shape.rank());
  auto rest = static_cast<std::int64_t>(offset);
  for (std::size_t dim = shape.rank(); dim-- > 0;) {
    index[dim] = rest % shape[dim];
    rest /= shape[dim];
  }
  return index;
}

}  // namespace xtgrad::v1::detail
