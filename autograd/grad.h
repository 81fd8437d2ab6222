#pragma once

#include <initializer_list>
#include <span>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

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
};

/// Gradients of the sum of <cotangent, output> with respect to each input, leaf or computed; touches no
/// `.grad()`. Throws GraphError where nothing was recorded or the graph was freed by an earlier sweep, naming
/// the operation, and DtypeError for an input or output that is neither float32 nor float64.
///
///   Tensor dy = grad({y}, {x}, {.create_graph = true})[0];
///   Tensor d2y = grad({sum(dy)}, {x})[0];
[[nodiscard]] std::vector<Tensor> grad(std::span<const Tensor> outputs, std::span<const Tensor> inputs,
                                       const GradOptions& options = {});
[[nodiscard]] std::vector<Tensor> grad(std::initializer_list<Tensor> outputs,
                                       std::initializer_list<Tensor> inputs, const GradOptions& options = {});

/// The functional form's sibling behind `Tensor::backward`, for several outputs at once: adds to the leaves'
/// `.grad()`.
void backward(std::span<const Tensor> outputs, const GradOptions& options = {});

/// True while operations on this thread are recorded.
[[nodiscard]] bool is_recording();

/// Records nothing on this thread while in scope: `NoGrad no_grad;`.
class NoGrad {
 public:
  NoGrad();
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  bool before_;
};

/// Records on this thread while in scope, even inside a `NoGrad`.
class EnableGrad {
 public:
  EnableGrad();
  ~EnableGrad();
  EnableGrad(const EnableGrad&) = delete;
  EnableGrad& operator=(const EnableGrad&) = delete;

 private:
  bool before_;
};

}}  // namespace xtgrad::v1
