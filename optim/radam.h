#pragma once

#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/optim/hyper.h"
#include "xtgrad/optim/optimizer_of.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace optim {

struct RAdamOptions {
  Hyper lr = 1e-3;
  Hyper beta1 = 0.9;             ///< decay rate of the mean of gradients, in [0, 1)
  Hyper beta2 = 0.999;           ///< decay rate of the mean of their squares, in [0, 1)
  Hyper eps = 1e-8;              ///< added to the root, outside of it
  Hyper weight_decay = 0;        ///< lambda, an L2 penalty: g += lambda p
  bool decoupled_decay = false;  ///< p *= 1 - lr lambda before the step in place of the penalty, as in AdamW
  bool maximize = false;         ///< ascends instead
};

/// RAdam (Liu et al., "On the variance of the adaptive learning rate and beyond", 2020). In step t, from 1:
///
///   g += lambda p
///   m = beta1 m + (1 - beta1) g
///   v = beta2 v + (1 - beta2) g^2
///   n = 2 / (1 - beta2) - 1;  n_t = n - 2 t beta2^t / (1 - beta2^t)
///   p -= lr / (1 - beta1^t) m                                          (while n_t is 5 or less)
///   p -= lr / (1 - beta1^t) m r sqrt(1 - beta2^t) / (sqrt(v) + eps)    (from then on)
///     with r = sqrt((n_t - 4) (n_t - 2) n / ((n - 4) (n - 2) n_t))
///
/// State of a parameter: "m" and "v".
class RAdam : public OptimizerOf<RAdamOptions> {
 public:
  explicit RAdam(std::vector<nn::ParameterRef> parameters, const RAdamOptions& options = {});
};
extern template class OptimizerOf<RAdamOptions>;

/// The pure form; see `step` in optim/sgd.h. Differentiable in parameters, gradients, moments
/// and hyperparameters; where the sum of squares is 0, its root has the derivative 0. Where n_t crosses
/// 5, which beta2 decides, the step jumps.
[[nodiscard]] Stepped step(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients,
                           const std::vector<State>& states, const RAdamOptions& options);

}}}  // namespace xtgrad::v1::optim
