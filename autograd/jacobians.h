#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/spread.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/autograd/transforms.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

// Jacobians and Hessians of functions of several tensors, in blocks, and of sparse ones.

/// By which products a Jacobian is computed. `reverse`: a row for each element of the outputs, in a batched
/// sweep. `forward`: a column for each element of the inputs, in a batched sweep of the sweep, which costs
/// about two. `automatic`: forward where outputs have more than twice the elements of the inputs.
enum class JacobianMode { automatic, reverse, forward };

struct JacobianOptions {
  JacobianMode mode = JacobianMode::automatic;
};

/// Of a row for each output, the derivatives in each input: block [k][i] has the shape of output k followed
/// by that of input i.
using Blocks = std::vector<std::vector<Tensor>>;

/// All derivatives of f's outputs in its inputs. A block is an empty handle where the output or the input is
/// not floating. Throws ShapeError if the ranks of an output and an input add up to more than
/// Shape::max_rank.
[[nodiscard]] Blocks jacobian(const TensorFunction& f, std::span<const Tensor> inputs,
                              const JacobianOptions& options = {});
/// The same for inputs in braces, of which f takes as many, as `vjp` does.
///
///   Blocks j = jacobian([](const Tensor& a, const Tensor& b) { return matmul(a, b); }, {a, b});  // j[0][1]
template <class F, std::size_t n>
requires(!detail::NamesInputs<F>) [[nodiscard]] Blocks
    jacobian(F f, const Tensor (&inputs)[n], const JacobianOptions& options = {}) {
  return jacobian(TensorFunction(detail::spread<n>(std::move(f))), std::span<const Tensor>(inputs), options);
}
/// Of one tensor to one tensor, by the mode that is asked for; throws DtypeError unless x and f(x) are
/// float32 or float64.
[[nodiscard]] Tensor jacobian(const UnaryTensorFunction& f, const Tensor& x, const JacobianOptions& options);

/// Second derivatives of f, whose one output has one element: block [i][k] is d2 f / d input i d input k, of
/// the shapes of both. Throws ShapeError if f has more elements, DtypeError unless all inputs are float32 or
/// float64.
[[nodiscard]] Blocks hessian(const TensorFunction& f, std::span<const Tensor> inputs);
template <class F, std::size_t n>
requires(!detail::NamesInputs<F>) [[nodiscard]] Blocks hessian(F f, const Tensor (&inputs)[n]) {
  return hessian(TensorFunction(detail::spread<n>(std::move(f))), std::span<const Tensor>(inputs));
}

/// The elements of a sparse Jacobian whose pattern is known. `pattern`, int64 [m, k], has in row i the
/// elements of x, counted in row-major order, that element i of f(x) depends on, -1 for none; the result, [m,
/// k], has the derivatives there, 0 at -1. Elements of x that no element of f(x) shares are moved together
/// (Curtis, Powell and Reid, 1974), all such groups in one batched sweep: their number, that of colours, and
/// not the size of x, says what it costs. What the pattern leaves out is taken for 0: where it is not, the
/// result is wrong. Throws DtypeError, ShapeError or ValueError for a pattern that does not fit.
///
///   // a band: f(x)[i] depends on x[i - 1], x[i] and x[i + 1]
///   Tensor band = sparse_jacobian(f, x, pattern);  // [n, 3], by three products
[[nodiscard]] Tensor sparse_jacobian(const UnaryTensorFunction& f, const Tensor& x, const Tensor& pattern);

struct ValueAndGradients {
  Tensor value;
  std::vector<Tensor> gradients;  ///< of each input, of its shape; empty for one that is not floating
};

namespace detail {
[[nodiscard]] ValueAndGradients value_and_gradients(const TensorFunction& f, std::span<const Tensor> inputs);
}

/// What `value_and_grad` returns: called with tensors, or with a span of them, it gives f's value there and
/// its gradients.
template <class F>
class ValueAndGrad {
 public:
  explicit ValueAndGrad(F f) : f_(std::move(f)) {
    detail::check_function("value_and_grad", !detail::is_empty_function(f_));
  }

  template <class... X>
  requires(sizeof...(X) > 0 && (std::is_same_v<std::remove_cvref_t<X>, Tensor> && ...))
      [[nodiscard]] ValueAndGradients
      operator()(const X&... x) const {
    const Tensor inputs[] = {x...};
    return detail::value_and_gradients(TensorFunction(detail::spread<sizeof...(X)>(f_)), inputs);
  }
  [[nodiscard]] ValueAndGradients operator()(std::span<const Tensor> x) const {
    return detail::value_and_gradients(TensorFunction(detail::spread<0>(f_)), x);
  }

 private:
  F f_;
};

/// f, whose value has one element, as a function that gives its gradients besides. Throws, when it is called,
/// ValueError unless f has one output, ShapeError unless that has one element, DtypeError unless it is
/// floating.
///
///   auto [value, gradients] = value_and_grad(loss)(weights, x);
template <class F>
[[nodiscard]] ValueAndGrad<std::decay_t<F>> value_and_grad(F&& f) {
  return ValueAndGrad<std::decay_t<F>>(std::forward<F>(f));
}

}}  // namespace xtgrad::v1
