#include "xtgrad/autograd/jacobians.h"

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "xtgrad/autograd/batched_sweep.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/jacobian_pattern.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1 {
namespace {

void check_floating(std::string_view function, std::string_view what, const Tensor& x) {
  if (is_floating(x.dtype())) return;
  throw DtypeError(
      fmt::format("{}: {} must be float32 or float64: got {}", function, what, to_string(x.dtype())));
}

/// The shape of a block.
Shape joined(std::string_view function, const Shape& a, const Shape& b) {
  if (a.rank() + b.rank() > Shape::max_rank) {
    throw ShapeError(
        fmt::format("{}: a block would have {} + {} dimensions, at most {} are possible; flatten first",
                    function, a.rank(), b.rank(), Shape::max_rank));
  }
  Shape shape = a;
  for (const std::int64_t size : b) shape.push_back(size);
  return shape;
}

std::int64_t floating_elements(std::span<const Tensor> tensors) {
  std::int64_t count = 0;
  for (const Tensor& tensor : tensors) {
    if (is_floating(tensor.dtype())) count += tensor.numel();
  }
  return count;
}

/// As a function of cotangents, for those outputs that have some, zeros: what it pulls back is J v.
Pullback transposed(const Pullback& pullback) {
  const std::vector<Tensor>& outputs = pullback.outputs();
  std::vector<Tensor> dummies;
  for (const Tensor& y : outputs) {
    if (is_floating(y.dtype())) dummies.push_back(zeros_like(y));
  }
  const auto pull = [&](std::span<const Tensor> given) {
    std::vector<Tensor> cotangents(outputs.size());
    std::size_t next = 0;
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      if (is_floating(outputs[k].dtype())) cotangents[k] = given[next++];
    }
    std::vector<Tensor> gradients;
    for (Tensor& gradient : pullback(cotangents)) {
      if (gradient.defined()) gradients.push_back(std::move(gradient));
    }
    return gradients;
  };
  return vjp(TensorFunction(pull), dummies);
}

/// Rows of derivatives as the blocks of one output, or, turned, of one input.
class BlockMaker {
 public:
  BlockMaker(std::string_view function, const Pullback& pullback, std::span<const Tensor> inputs)
      : function_(function), pullback_(&pullback), inputs_(inputs) {
    for (const Tensor& y : outputs()) {
      blocks_.emplace_back(inputs.size());
      if (!is_floating(y.dtype())) continue;
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (!is_floating(inputs[i].dtype())) continue;
        const Shape shape = joined(function, y.shape(), inputs[i].shape());
        blocks_.back()[i] = zeros(shape, {.dtype = inputs[i].dtype()});
      }
    }
  }

  void by_rows() {
    for (std::size_t k = 0; k < outputs().size(); ++k) {
      const Tensor& y = outputs()[k];
      if (!is_floating(y.dtype()) || y.numel() == 0) continue;
      const std::vector<Tensor> rows = detail::pull_units(function_, *pullback_, k);
      for (std::size_t i = 0; i < inputs_.size(); ++i) {
        if (rows[i].defined()) blocks_[k][i] = reshape(rows[i], blocks_[k][i].shape());
      }
    }
  }

  void by_columns() {
    const Pullback push = transposed(*pullback_);
    std::size_t at = 0;  // among the floating inputs
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      if (!is_floating(inputs_[i].dtype())) continue;
      const std::int64_t n = inputs_[i].numel();
      if (n > 0) put_columns(i, n, detail::pull_units(function_, push, at));
      ++at;
    }
  }

  [[nodiscard]] Blocks take() { return std::move(blocks_); }

 private:
  [[nodiscard]] const std::vector<Tensor>& outputs() const { return pullback_->outputs(); }

  void put_columns(std::size_t i, std::int64_t n, const std::vector<Tensor>& columns) {
    std::size_t next = 0;
    for (std::size_t k = 0; k < outputs().size(); ++k) {
      const Tensor& y = outputs()[k];
      if (!is_floating(y.dtype())) continue;
      const Tensor& found = columns[next++];
      if (y.numel() > 0)
        blocks_[k][i] = reshape(transpose(reshape(found, {n, y.numel()})), blocks_[k][i].shape());
    }
  }

  std::string_view function_;
  const Pullback* pullback_;
  std::span<const Tensor> inputs_;
  Blocks blocks_;
};

Blocks blocks_of(std::string_view function, const TensorFunction& f, std::span<const Tensor> inputs,
                 JacobianMode mode) {
  const Pullback pullback = vjp(f, inputs);
  const std::int64_t m = floating_elements(pullback.outputs()), n = floating_elements(inputs);
  BlockMaker maker(function, pullback, inputs);
  std::optional<NoGrad> no_history;  // where a sweep would have none
  if (!pullback.has_history()) no_history.emplace();
  if (mode == JacobianMode::forward || (mode == JacobianMode::automatic && m > 2 * n)) {
    maker.by_columns();
  } else {
    maker.by_rows();
  }
  return maker.take();
}

const Tensor& only_value(std::string_view function, const std::vector<Tensor>& outputs) {
  if (outputs.size() != 1)
    throw ValueError(
        fmt::format("{}: the function must have one output, it has {}", function, outputs.size()));
  check_floating(function, "the function's value", outputs[0]);
  if (outputs[0].numel() != 1) {
    throw ShapeError(
        fmt::format("{}: the function's value must have one element, it has shape {}; sum it, or "
                    "use jacobian",
                    function, to_string(outputs[0].shape())));
  }
  return outputs[0];
}

}  // namespace

Blocks jacobian(const TensorFunction& f, std::span<const Tensor> inputs, const JacobianOptions& options) {
  detail::check_function("jacobian", static_cast<bool>(f));
  return blocks_of("jacobian", f, inputs, options.mode);
}

Tensor jacobian(const UnaryTensorFunction& f, const Tensor& x, const JacobianOptions& options) {
  detail::check_function("jacobian", static_cast<bool>(f));
  check_floating("jacobian", "x", x);
  const auto checked = [&](std::span<const Tensor> in) {
    const Tensor y = f(in[0]);
    check_floating("jacobian", "f(x)", y);
    return std::vector<Tensor>{y};
  };
  return blocks_of("jacobian", TensorFunction(checked), std::span(&x, 1), options.mode)[0][0];
}

Blocks hessian(const TensorFunction& f, std::span<const Tensor> inputs) {
  detail::check_function("hessian", static_cast<bool>(f));
  for (std::size_t i = 0; i < inputs.size(); ++i)
    check_floating("hessian", fmt::format("input {}", i), inputs[i]);
  const auto gradients = [&](std::span<const Tensor> at) {
    const Pullback pullback = vjp(f, at);
    return pullback({ones_like(only_value("hessian", pullback.outputs()))});
  };
  return blocks_of("hessian", TensorFunction(gradients), inputs, JacobianMode::reverse);
}

Tensor sparse_jacobian(const UnaryTensorFunction& f, const Tensor& x, const Tensor& pattern) {
  detail::check_function("sparse_jacobian", static_cast<bool>(f));
  check_floating("sparse_jacobian", "x", x);
  const Pullback pullback = vjp(f, x);
  const Tensor& y = pullback.outputs()[0];
  check_floating("sparse_jacobian", "f(x)", y);
  const std::int64_t m = y.numel(), n = x.numel();
  const detail::JacobianPattern coloring("sparse_jacobian", pattern, m, n);
  if (coloring.colors() == 0) return zeros(pattern.shape(), {.dtype = y.dtype()});
  std::optional<NoGrad> no_history;  // where a sweep would have none
  if (!pullback.has_history()) no_history.emplace();
  Shape directions{coloring.colors()};
  for (const std::int64_t size : x.shape()) directions.push_back(size);
  const Tensor products = transposed(pullback).batched(reshape(coloring.directions(x.dtype()), directions));
  return coloring.elements(reshape(products, {coloring.colors(), m}));
}

namespace detail {

ValueAndGradients value_and_gradients(const TensorFunction& f, std::span<const Tensor> inputs) {
  const Pullback pullback = vjp(f, inputs);
  const Tensor& value = only_value("value_and_grad", pullback.outputs());
  std::optional<NoGrad> no_history;  // where a sweep would have none
  if (!pullback.has_history()) no_history.emplace();
  return {no_history ? value.detach() : value, pullback({ones_like(value)})};
}

}  // namespace detail
}  // namespace xtgrad::v1
