#pragma once

#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/optim/hyper.h"
#include "xtgrad/optim/optimizer_of.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace optim {

struct AdagradOptions {
  Hyper lr = 1e-2;
  Hyper lr_decay = 0;             ///< lr falls as 1 / (1 + (t - 1) lr_decay)
  Hyper weight_decay = 0;         ///< lambda, an L2 penalty: g += lambda p
  Hyper initial_accumulator = 0;  ///< of s, before the first step
  Hyper eps = 1e-10;              ///< added to the root, outside of it
  bool maximize = false;          ///< ascends instead
};

/// AdaGrad (Duchi, Hazan and Singer, "Adaptive subgradient methods", 2011). In step t, from 1:
///
///   g += lambda p
///   s = s + g^2
///   p -= lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps)
///
/// State of a parameter: "sum", which is s.
class Adagrad : public OptimizerOf<AdagradOptions> {
 public:
  explicit Adagrad(std::vector<nn::ParameterRef> parameters, const AdagradOptions& options = {});
};
extern template class OptimizerOf<AdagradOptions>;

/// The pure form; see `step` in optim/sgd.h. Differentiable in parameters, gradients, moments
/// and hyperparameters; where the sum of squares is 0, its root has the derivative 0.
[[nodiscard]] Stepped step(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients,
                           const std::vector<State>& states, const AdagradOptions& options);

}}}  // namespace xtgrad::v1::optim
