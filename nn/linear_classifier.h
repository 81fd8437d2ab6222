#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/module.h"
#include "xtgrad/nn/options.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

struct LinearClassifierOptions {
  Shape input = {};  ///< required: the shape of one sample, such as {3, 32, 32}
  std::int64_t classes = required;
};

/// f(x; W) = W x + b on flattened samples, with the bias trick: [W b] [x; 1], so that all there is to learn
/// is one matrix. [n, input...] to scores [n, classes]. A row of W is a template, which scores highest what
/// looks like it. Parameter: weight [classes, features + 1], features being the numbers of a sample, its last
/// column the biases; uniform in [-1/sqrt(features), 1/sqrt(features)) at first, in the default dtype.
///
///   nn::LinearClassifier model{{.input = {3, 32, 32}, .classes = 10}};
///   Tensor scores = model(randn({8, 3, 32, 32}));  // [8, 10]
///   Tensor pictures = model.templates();           // [10, 3, 32, 32]
///   Tensor decay = sum(square(model.templates()));  // a penalty that leaves the biases out
///
/// Throws ValueError for an option that is missing or out of range, ShapeError or DtypeError for an input
/// that does not fit.
class LinearClassifier : public Module {
 public:
  explicit LinearClassifier(const LinearClassifierOptions& options);
  /// Takes samples that are flat already, [n, features], too.
  Tensor forward(const Tensor& x) override;
  void members(Members& m) override;
  [[nodiscard]] const LinearClassifierOptions& options() const& { return options_; }
  [[nodiscard]] LinearClassifierOptions options() const&& { return options_; }

  /// The rows of W without their biases, [classes, input...]; differentiable.
  [[nodiscard]] Tensor templates() const;
  /// The last column, [classes]; differentiable.
  [[nodiscard]] Tensor biases() const;

  Parameter weight;  // [classes, features + 1]

 private:
  LinearClassifierOptions options_;
};

}}}  // namespace xtgrad::v1::nn
