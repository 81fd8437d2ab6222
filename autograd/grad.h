#pragma once

#include <type_traits>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/scoped_setting.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/autograd/tensor_list.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

struct GradOptions {
  /// Cotangents of the outputs, each of its output's shape; empty means ones for outputs of one element.
  std::vector<Tensor> cotangents = {};
  /// Keeps the graph for another sweep.
  bool keep_graph = false;
  /// Records the sweep itself, so that the gradients can be differentiated; keeps the graph, too.
  bool create_graph = false;
  /// Returns an empty handle, instead of throwing GraphError, for an input that no output was computed from.
  bool allow_unused = false;
  /// Returns zeros for such an input, of its shape and dtype. With `create_graph` they want a gradient, so a
  /// second `grad` finds zeros; that of a linear function, a constant, wants none: GraphError if it is alone.
  bool materialize_grads = false;
};

/// Gradients of the sum of <cotangent, output> with respect to each input, leaf or computed; touches no
/// `.grad()`. Throws GraphError where nothing was recorded or the graph was freed by an earlier sweep, naming
/// the operation, and DtypeError for an input or output that is neither float32 nor float64.
///
///   Tensor dy = grad(y, x, {.create_graph = true});
///   Tensor d2y = grad(sum(dy), x);
///   std::vector<Tensor> both = grad(loss, {a, b});
///   std::vector<Tensor> all = grad(loss, model.parameters());
[[nodiscard]] std::vector<Tensor> grad(const TensorList& outputs, const TensorList& inputs,
                                       const GradOptions& options = {});
/// The same of one input. A template, so that one in braces is a list.
template <class Input>
requires std::is_convertible_v<const Input&, Tensor>
[[nodiscard]] Tensor grad(const TensorList& outputs, const Input& input, const GradOptions& options = {}) {
  return grad(outputs, {input}, options)[0];
}

/// The functional form's sibling behind `Tensor::backward`, for several outputs at once: adds to the leaves'
/// `.grad()`.
void backward(const TensorList& outputs, const GradOptions& options = {});

/// True while operations on this thread are recorded.
[[nodiscard]] bool is_recording();

/// Records nothing on this thread while in scope: `NoGrad no_grad;`. It ends on the thread where it began;
/// scopes that end in another order than they began leave things as they should be.
class NoGrad {
 public:
  [[nodiscard("a scope ends with its statement unless it has a name")]] NoGrad();
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  detail::ScopedSetting<bool> scope_;
};

/// Records on this thread while in scope, even inside a `NoGrad`.
class EnableGrad {
 public:
  [[nodiscard("a scope ends with its statement unless it has a name")]] EnableGrad();
  ~EnableGrad();
  EnableGrad(const EnableGrad&) = delete;
  EnableGrad& operator=(const EnableGrad&) = delete;

 private:
  detail::ScopedSetting<bool> scope_;
};

}}  // namespace xtgrad::v1
