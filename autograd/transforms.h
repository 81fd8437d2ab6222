#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/spread.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

namespace detail {
struct PullbackPlan;
}

// Transformations of functions: derivatives as functions of a function, in the manner of JAX.
//
// A function is called with variables of its own, so a tensor that it merely captures is a constant to the
// transformation. Where recording is on, results are recorded and can be differentiated again, in the
// inputs, in cotangents and tangents, and in whatever the function captures; inside a `NoGrad` they are not.
//
//   const auto f = [](const Tensor& x) { return sum(exp(x)); };
//   Tensor x = tensor({0, 1});
//   Tensor h = hessian(f, x);            // [2, 2], diagonal 1 and e
//   Tensor hv = hvp(f, x, ones_like(x)); // [2], the same times a vector, without the matrix

/// One tensor to one tensor.
using UnaryTensorFunction = AnyCallable<Tensor(const Tensor&)>;
/// Any number of tensors to any number of tensors.
using TensorFunction = AnyCallable<std::vector<Tensor>(std::span<const Tensor>)>;

/// A function's values at a point, and its vector-Jacobian product there. Keeps the graph alive, so it can
/// be applied to many cotangents, and finds what a sweep has to pass once for all of them.
class Pullback {
 public:
  /// The function's values.
  [[nodiscard]] const std::vector<Tensor>& outputs() const& { return outputs_; }
  [[nodiscard]] std::vector<Tensor> outputs() const&& { return outputs_; }
  /// J^T u: the gradient of the sum of <cotangent, output> in each input, of the input's shape. Zeros for an
  /// input that no output depends on; an empty handle for one that is not floating. A cotangent has its
  /// output's shape and dtype; an empty handle stands for zeros. Throws ValueError for a wrong number of
  /// cotangents, ShapeError or DtypeError for one that does not fit.
  [[nodiscard]] std::vector<Tensor> operator()(std::span<const Tensor> cotangents) const;
  /// The same for a function of one tensor to one tensor; throws ValueError for any other.
  [[nodiscard]] Tensor operator()(const Tensor& cotangent) const;
  /// Cotangents in braces.
  [[nodiscard]] std::vector<Tensor> operator()(std::initializer_list<Tensor> cotangents) const {
    return (*this)(std::span(cotangents.begin(), cotangents.size()));
  }

  /// The same for rows of cotangents, which have an axis of rows before their output's; so have the
  /// gradients. One sweep's list of steps is run on all rows, each step at once where its operation has a
  /// rule for that, to the bits of a sweep a row; a list is made of 20 rows and more. Rows are swept one by
  /// one, too, where a list cannot be repeated: functions hang on a tensor (autograd/hooks.h), or a rule
  /// reads elements or draws. Results can be differentiated as those of one row. Throws as for one row, and
  /// ValueError if no cotangent is given.
  [[nodiscard]] std::vector<Tensor> batched(std::span<const Tensor> cotangents) const;
  /// The same for a function of one tensor to one tensor; throws ValueError for any other.
  [[nodiscard]] Tensor batched(const Tensor& cotangents) const;
  [[nodiscard]] std::vector<Tensor> batched(std::initializer_list<Tensor> cotangents) const {
    return batched(std::span(cotangents.begin(), cotangents.size()));
  }

  /// Whether what it computes now can be differentiated again: recording is on, and the outputs depend on an
  /// input's history or on something that the function captures and that wants a gradient.
  [[nodiscard]] bool has_history() const;
  /// Whether functions hang on the variables that f was called with (autograd/hooks.h).
  [[nodiscard]] bool has_hooked_inputs() const;
  /// These variables, for the library alone.
  [[nodiscard]] const std::vector<Tensor>& inputs() const& { return inputs_; }

 private:
  friend Pullback vjp(const TensorFunction& f, std::span<const Tensor> inputs);
  std::vector<Tensor> inputs_;  // the variables that the function was called with
  std::vector<Tensor> outputs_;
  std::shared_ptr<const detail::PullbackPlan> plan_;  // what lies between them, found once
};

/// Calls f and prepares its vector-Jacobian product. Throws GraphError if f returns an empty handle.
[[nodiscard]] Pullback vjp(const TensorFunction& f, std::span<const Tensor> inputs);
/// The same for one tensor to one tensor; throws DtypeError unless x and f(x) are float32 or float64.
[[nodiscard]] Pullback vjp(const UnaryTensorFunction& f, const Tensor& x);
/// The same for inputs in braces: f takes as many tensors, or a span of them, and returns a tensor or several
/// in a vector. A template, as those of its kind below, because only the call says how many.
///
///   vjp([](const auto& a, const auto& b) { return matmul(a, b); }, {a, b})(ones({2, 2}))
template <class F, std::size_t n>
requires(!detail::NamesInputs<F>) [[nodiscard]] Pullback vjp(F f, const Tensor (&inputs)[n]) {
  return vjp(TensorFunction(detail::spread<n>(std::move(f))), std::span<const Tensor>(inputs));
}

struct JvpResult {
  std::vector<Tensor> outputs;   ///< the function's values
  std::vector<Tensor> tangents;  ///< J v for each output, of its shape; empty for those that are not floating
};

/// The Jacobian-vector product: the derivative of f's outputs when input i moves along `tangents[i]`, which
/// has its shape and dtype; an empty handle stands for an input that does not move. Computed as the vjp of
/// the vjp, which is linear in its cotangent, so at the cost of about two sweeps. Throws as `Pullback` does.
[[nodiscard]] JvpResult jvp(const TensorFunction& f, std::span<const Tensor> inputs,
                            std::span<const Tensor> tangents);
/// The same for one tensor to one tensor; returns J v, of f(x)'s shape. Throws DtypeError unless x and f(x)
/// are float32 or float64, as all functions below do.
[[nodiscard]] Tensor jvp(const UnaryTensorFunction& f, const Tensor& x, const Tensor& v);
template <class F, std::size_t n>
requires(!detail::NamesInputs<F>) [[nodiscard]] JvpResult
    jvp(F f, const Tensor (&inputs)[n], const Tensor (&tangents)[n]) {
  return jvp(TensorFunction(detail::spread<n>(std::move(f))), std::span<const Tensor>(inputs),
             std::span<const Tensor>(tangents));
}

/// All derivatives of f(x): entry [i..., j...] is d f(x)[i...] / d x[j...], of f(x)'s shape followed by x's.
/// The elements of f(x) are the rows of a batched sweep (Pullback::batched). Throws ShapeError if the ranks
/// add up to more than Shape::max_rank.
[[nodiscard]] Tensor jacobian(const UnaryTensorFunction& f, const Tensor& x);

/// Second derivatives of f, whose value has one element: entry [i..., j...] is d2 f / d x[i...] d x[j...], of
/// x's shape twice over. Throws ShapeError if f(x) has more elements, or past Shape::max_rank.
[[nodiscard]] Tensor hessian(const UnaryTensorFunction& f, const Tensor& x);

/// The Hessian of f, whose value has one element, times v: of x's shape, as v is. Two sweeps, however large x
/// is.
[[nodiscard]] Tensor hvp(const UnaryTensorFunction& f, const Tensor& x, const Tensor& v);

}}  // namespace xtgrad::v1
