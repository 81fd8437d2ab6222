#pragma once

#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/optim/hyper.h"
#include "xtgrad/optim/optimizer_of.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace optim {

struct LionOptions {
  Hyper lr = 1e-4;
  Hyper beta1 = 0.9;       ///< share of the mean in the direction, in [0, 1)
  Hyper beta2 = 0.99;      ///< decay rate of the mean of gradients, in [0, 1)
  Hyper weight_decay = 0;  ///< lambda, decoupled from the gradient
  bool maximize = false;   ///< ascends instead
};

/// Lion (Chen et al., "Symbolic discovery of optimization algorithms", 2023):
///
///   c = beta1 m + (1 - beta1) g
///   p -= lr (sign(c) + lambda p)
///   m = beta2 m + (1 - beta2) g
///
/// State of a parameter: "m".
class Lion : public OptimizerOf<LionOptions> {
 public:
  explicit Lion(std::vector<nn::ParameterRef> parameters, const LionOptions& options = {});
};
extern template class OptimizerOf<LionOptions>;

/// The pure form; see `step` in optim/sgd.h. Differentiable in parameters, learning rate and
/// weight decay; the sign has no gradient, so the derivatives of the value in gradients and betas are 0.
[[nodiscard]] Stepped step(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients,
                           const std::vector<State>& states, const LionOptions& options);

}}}  // namespace xtgrad::v1::optim
