#include "xtgrad/optim/objective.h"

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <span>
#include <utility>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/orphans.h"
#include "xtgrad/optim/flat.h"

namespace xtgrad::inline v1::optim::detail {
namespace {

/// For messages: NaN without its sign, which is an accident.
double printable(double x) { return std::isnan(x) ? std::abs(x) : x; }

}  // namespace

Objective::Objective(std::string_view function, std::vector<nn::ParameterRef> parameters,
                     const Callable<Tensor()>& loss)
    : function_(function), parameters_(std::move(parameters)), loss_(loss), dtype_(widest_dtype(leaves())) {}

Tensor Objective::x() const { return join_flat(leaves(), dtype_); }

void Objective::set_x(const Tensor& x) {
  const std::vector<Tensor> values = split_flat(x, leaves());
  for (std::size_t i = 0; i < parameters_.size(); ++i) parameters_[i]->set_value(values[i]);
}

LossAndGradient Objective::evaluate() {
  ++evaluations_;
  const EnableGrad enabled;
  const Tensor value = loss_();
  if (value.numel() != 1) {
    throw ShapeError(
        fmt::format("{}: the loss must have one element: got {}", function_, to_string(value.shape())));
  }
  const double loss = reshape(value.detach(), {}).item();
  if (!std::isfinite(loss)) return {loss, {}};
  nn::detail::Orphans::check_reached(function_, value, parameters_);
  const std::vector<Tensor> at = leaves();
  std::vector<Tensor> gradients = grad(std::span(&value, 1), at, {.allow_unused = true});
  for (std::size_t i = 0; i < at.size(); ++i) {
    if (!gradients[i].defined()) gradients[i] = zeros_like(at[i]);
  }
  return {loss, join_flat(gradients, dtype_)};
}

LossAndGradient Objective::evaluate_finite() {
  LossAndGradient found = evaluate();
  if (!std::isfinite(found.loss)) {
    throw ValueError(fmt::format("{}: the loss must be finite: got {}", function_, printable(found.loss)));
  }
  if (const double size = largest_element(found.gradient); !std::isfinite(size)) {
    throw ValueError(fmt::format("{}: the gradient must be finite: got {}, where the loss is {}", function_,
                                 printable(size), found.loss));
  }
  return found;
}

std::vector<Tensor> Objective::leaves() const {
  std::vector<Tensor> all;
  for (const nn::ParameterRef& parameter : parameters_) all.push_back(parameter->tensor());
  return all;
}

double largest_element(const Tensor& x) { return x.numel() == 0 ? 0 : amax(abs(x)).item(); }

}  // namespace xtgrad::v1::optim::detail
