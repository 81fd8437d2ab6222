#include "xtgrad/autograd/transforms.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "xtgrad/autograd/batched_sweep.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/sweep/reached_leaves.h"
#include "xtgrad/autograd/sweep/sweep.h"
#include "xtgrad/autograd/unit_tensor.h"

namespace xtgrad::inline v1 {

namespace detail {

/// `variables` are the inputs that have derivatives.
struct PullbackPlan {
  SweepInputs inputs;
  SweepPlan plan;

  PullbackPlan(std::span<const Tensor> variables, std::span<Node* const> roots)
      : inputs(variables), plan("vjp", roots, inputs, false) {}
};

}  // namespace detail

namespace {

/// A variable of the transformation's own: the same value, and still a part of the caller's graph if it was
/// one, but another node, so that derivatives in it leave out what the function captured.
Tensor fresh_variable(const Tensor& x) {
  if (!is_floating(x.dtype())) return x;
  if (is_recording() && x.requires_grad()) return alias(x);
  return x.detach().set_requires_grad();
}

/// Has derivatives, and is there at all.
bool is_variable(const Tensor& x) { return x.defined() && is_floating(x.dtype()); }

void check_floating(std::string_view function, std::string_view what, const Tensor& x) {
  if (is_floating(x.dtype())) return;
  throw DtypeError(
      fmt::format("{}: {} must be float32 or float64: got {}", function, what, to_string(x.dtype())));
}

void check_fits(std::string_view function, std::string_view what, const Tensor& given, const Tensor& like) {
  if (given.shape() != like.shape()) {
    throw ShapeError(fmt::format("{}: {} has shape {}, it needs {}", function, what, to_string(given.shape()),
                                 to_string(like.shape())));
  }
  if (given.dtype() != like.dtype()) {
    throw DtypeError(fmt::format("{}: {} is {}, it needs {}", function, what, to_string(given.dtype()),
                                 to_string(like.dtype())));
  }
}

void check_count(std::string_view function, std::string_view what, std::size_t given, std::size_t needed) {
  if (given != needed)
    throw ValueError(fmt::format("{}: got {} {}, it needs {}", function, given, what, needed));
}

TensorFunction many_to_many(const UnaryTensorFunction& f) {
  return [&f](std::span<const Tensor> x) { return std::vector<Tensor>{f(x[0])}; };
}

/// J^T u, with empty handles where there is no gradient. Empty handles among the arguments take no part.
std::vector<Tensor> pull(std::span<const Tensor> outputs, std::span<const Tensor> inputs,
                         std::span<const Tensor> cotangents, bool create_graph) {
  std::vector<Tensor> used_outputs;
  GradOptions options{.keep_graph = true, .create_graph = create_graph, .allow_unused = true};
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (!cotangents[i].defined() || !outputs[i].defined()) continue;
    check_fits("vjp", fmt::format("cotangent {}", i), cotangents[i], outputs[i]);
    if (!outputs[i].requires_grad()) continue;
    used_outputs.push_back(outputs[i]);
    options.cotangents.push_back(cotangents[i]);
  }
  std::vector<Tensor> variables;
  for (const Tensor& input : inputs) {
    if (is_variable(input)) variables.push_back(input);
  }
  std::vector<Tensor> found(variables.size());
  if (!used_outputs.empty() && !variables.empty()) found = grad(used_outputs, variables, options);

  std::vector<Tensor> gradients(inputs.size());
  std::size_t next = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (is_variable(inputs[i])) gradients[i] = std::move(found[next++]);
  }
  return gradients;
}

void zeros_for_none(std::vector<Tensor>& gradients, std::span<const Tensor> like) {
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    if (!gradients[i].defined() && is_floating(like[i].dtype())) gradients[i] = zeros_like(like[i]);
  }
}

Tensor single_value(std::string_view function, const Tensor& y) {
  if (y.numel() != 1) {
    throw ShapeError(fmt::format("{}: f(x) must have one element, it has shape {}; sum it, or use jacobian",
                                 function, to_string(y.shape())));
  }
  return y;
}

/// `vjp` for `function`, which the user called: there is a derivative, or a DtypeError.
Pullback pullback_of(std::string_view function, const UnaryTensorFunction& f, const Tensor& x) {
  detail::check_function(function, static_cast<bool>(f));
  check_floating(function, "x", x);
  Pullback pullback = vjp(many_to_many(f), std::span(&x, 1));
  check_floating(function, "f(x)", pullback.outputs()[0]);
  return pullback;
}

/// The gradient of a function whose value has one element, as a function.
UnaryTensorFunction gradient_of(std::string_view function, const UnaryTensorFunction& f) {
  return [function, &f](const Tensor& x) {
    const Pullback pullback = pullback_of(function, f, x);
    return pullback(ones_like(single_value(function, pullback.outputs()[0])));
  };
}

Shape joined(std::string_view function, const Shape& a, const Shape& b) {
  if (a.rank() + b.rank() > Shape::max_rank) {
    throw ShapeError(
        fmt::format("{}: the result would have {} + {} dimensions, at most {} are possible; flatten "
                    "first",
                    function, a.rank(), b.rank(), Shape::max_rank));
  }
  Shape shape = a;
  for (const std::int64_t size : b) shape.push_back(size);
  return shape;
}

Tensor jacobian_of(std::string_view function, const UnaryTensorFunction& f, const Tensor& x) {
  const Pullback pullback = pullback_of(function, f, x);
  const Tensor& y = pullback.outputs()[0];
  const Shape shape = joined(function, y.shape(), x.shape());
  if (shape.numel() == 0) return zeros(shape, {.dtype = x.dtype()});
  if (y.numel() > 1 && y.rank() < Shape::max_rank)
    return reshape(detail::pull_units(function, pullback, 0)[0], shape);
  std::optional<NoGrad> no_history;
  if (!pullback.has_history()) no_history.emplace();
  std::vector<Tensor> rows;
  for (std::int64_t i = 0; i < y.numel(); ++i)
    rows.push_back(pullback(detail::unit_tensor(y.shape(), i, y.dtype())));
  return reshape(rows.size() == 1 ? rows[0] : stack(rows), shape);
}

}  // namespace

std::vector<Tensor> Pullback::operator()(std::span<const Tensor> cotangents) const {
  check_count("vjp", "cotangents", cotangents.size(), outputs_.size());
  for (std::size_t i = 0; i < cotangents.size(); ++i) {
    if (cotangents[i].defined())
      check_fits("vjp", fmt::format("cotangent {}", i), cotangents[i], outputs_[i]);
  }
  std::vector<Tensor> gradients(inputs_.size());
  if (plan_ != nullptr) {
    detail::Sweep sweep("vjp", true, is_recording());
    const std::span<const Tensor> found = sweep.along(plan_->plan, plan_->inputs, cotangents);
    std::size_t next = 0;
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      if (is_variable(inputs_[i])) gradients[i] = found[plan_->inputs.position(next++)];
    }
  }
  // What is another's, too, a given cotangent or another input's gradient, gets a tensor of its own.
  for (Tensor& gradient : gradients) {
    if (gradient.defined() && detail::node_of(gradient).values.load() > 1) gradient = alias(gradient);
  }
  zeros_for_none(gradients, inputs_);
  return gradients;
}

bool Pullback::has_history() const {
  if (!is_recording()) return false;
  return std::any_of(outputs_.begin(), outputs_.end(), [this](const Tensor& output) {
    return output.requires_grad() && detail::reaches_another_leaf(output, inputs_);
  });
}

bool Pullback::has_hooked_inputs() const {
  return std::any_of(inputs_.begin(), inputs_.end(),
                     [](const Tensor& x) { return detail::node_of(x).has(detail::Node::hooked_flag); });
}

Tensor Pullback::operator()(const Tensor& cotangent) const {
  if (inputs_.size() != 1 || outputs_.size() != 1) {
    throw ValueError(fmt::format("vjp: the function has {} inputs and {} outputs; pass a span of cotangents",
                                 inputs_.size(), outputs_.size()));
  }
  return (*this)(std::span(&cotangent, 1))[0];
}

std::vector<Tensor> Pullback::batched(std::span<const Tensor> cotangents) const {
  return detail::pull_batch("vjp", *this, cotangents);
}

Tensor Pullback::batched(const Tensor& cotangents) const {
  if (inputs_.size() != 1 || outputs_.size() != 1) {
    throw ValueError(fmt::format("vjp: the function has {} inputs and {} outputs; pass a span of cotangents",
                                 inputs_.size(), outputs_.size()));
  }
  return batched(std::span(&cotangents, 1))[0];
}

Pullback vjp(const TensorFunction& f, std::span<const Tensor> inputs) {
  detail::check_function("vjp", static_cast<bool>(f));
  Pullback pullback;
  for (const Tensor& input : inputs) pullback.inputs_.push_back(fresh_variable(input));
  {
    const EnableGrad record;
    pullback.outputs_ = f(pullback.inputs_);
  }
  for (std::size_t i = 0; i < pullback.outputs_.size(); ++i) {
    if (!pullback.outputs_[i].defined()) {
      throw GraphError(fmt::format("vjp: the function returned an empty handle as output {}", i));
    }
  }
  std::vector<Tensor> variables;
  for (const Tensor& input : pullback.inputs_) {
    if (is_variable(input)) variables.push_back(input);
  }
  std::vector<detail::Node*> outputs;
  for (const Tensor& output : pullback.outputs_) outputs.push_back(&detail::node_of(output));
  pullback.plan_ = std::make_shared<const detail::PullbackPlan>(variables, outputs);
  return pullback;
}

Pullback vjp(const UnaryTensorFunction& f, const Tensor& x) { return pullback_of("vjp", f, x); }

JvpResult jvp(const TensorFunction& f, std::span<const Tensor> inputs, std::span<const Tensor> tangents) {
  detail::check_function("jvp", static_cast<bool>(f));
  check_count("jvp", "tangents", tangents.size(), inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (tangents[i].defined()) check_fits("jvp", fmt::format("tangent {}", i), tangents[i], inputs[i]);
  }
  const bool recording = is_recording();
  const Pullback pullback = vjp(f, inputs);
  JvpResult result;
  for (const Tensor& y : pullback.outputs()) result.outputs.push_back(recording ? y : y.detach());

  // J^T u is linear in u, so its own vjp applied to v is J v whatever u is: zeros will do.
  std::vector<Tensor> dummies;
  std::vector<Tensor> gradients;
  {
    const EnableGrad record;
    for (const Tensor& y : result.outputs) {
      dummies.push_back(is_variable(y) ? zeros_like(y).set_requires_grad() : Tensor());
    }
    gradients = pullback(dummies);
  }
  result.tangents = pull(gradients, dummies, tangents, recording);
  zeros_for_none(result.tangents, result.outputs);
  return result;
}

Tensor jvp(const UnaryTensorFunction& f, const Tensor& x, const Tensor& v) {
  detail::check_function("jvp", static_cast<bool>(f));
  check_floating("jvp", "x", x);
  JvpResult result = jvp(many_to_many(f), std::span(&x, 1), std::span(&v, 1));
  check_floating("jvp", "f(x)", result.outputs[0]);
  return std::move(result.tangents[0]);
}

Tensor jacobian(const UnaryTensorFunction& f, const Tensor& x) { return jacobian_of("jacobian", f, x); }

Tensor hessian(const UnaryTensorFunction& f, const Tensor& x) {
  return jacobian_of("hessian", gradient_of("hessian", f), x);
}

Tensor hvp(const UnaryTensorFunction& f, const Tensor& x, const Tensor& v) {
  check_floating("hvp", "x", x);
  check_fits("hvp", "v", v, x);
  // The Hessian is symmetric: H v is J^T v of the gradient, which saves the third sweep of a jvp.
  return pullback_of("hvp", gradient_of("hvp", f), x)(v);
}

}  // namespace xtgrad::v1
