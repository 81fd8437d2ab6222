#pragma once

#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/optim/hyper.h"
#include "xtgrad/optim/optimizer_of.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace optim {

struct RMSPropOptions {
  Hyper lr = 1e-2;
  Hyper alpha = 0.99;            ///< decay rate of the mean of squares, in [0, 1)
  Hyper eps = 1e-8;              ///< added to the root
  Hyper weight_decay = 0;        ///< lambda, an L2 penalty: g += lambda p
  Hyper momentum = 0;            ///< mu; the number 0 means no momentum buffer
  bool centered = false;         ///< divide by the root of the variance: the mean's square is taken off
  bool eps_inside_root = false;  ///< sqrt(v + eps), as TensorFlow and Keras; else sqrt(v) + eps, as PyTorch
  bool maximize = false;         ///< ascends instead
};

/// RMSProp (Tieleman and Hinton, "Lecture 6.5", 2012), centered as in Graves ("Generating sequences with
/// recurrent neural networks", 2013):
///
///   g += lambda p
///   v = alpha v + (1 - alpha) g^2
///   a = alpha a + (1 - alpha) g          (centered)
///   d = sqrt(v) + eps                    (sqrt(v - a^2) + eps; with eps inside, sqrt(v - a^2 + eps))
///   b = mu b + g / d;  p -= lr b         (without momentum: p -= lr g / d)
///
/// State of a parameter: "v", "mean" where it is centered, and "momentum" where there is some.
class RMSProp : public OptimizerOf<RMSPropOptions> {
 public:
  explicit RMSProp(std::vector<nn::ParameterRef> parameters, const RMSPropOptions& options = {});
};
extern template class OptimizerOf<RMSPropOptions>;

/// The pure form; see `step` in optim/sgd.h. Differentiable in parameters, gradients, moments
/// and hyperparameters; where the sum of squares is 0, its root has the derivative 0.
[[nodiscard]] Stepped step(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients,
                           const std::vector<State>& states, const RMSPropOptions& options);

}}}  // namespace xtgrad::v1::optim
