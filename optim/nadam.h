#pragma once

#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/optim/hyper.h"
#include "xtgrad/optim/optimizer_of.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace optim {

struct NAdamOptions {
  Hyper lr = 2e-3;
  Hyper beta1 = 0.9;             ///< decay rate of the mean of gradients, in [0, 1)
  Hyper beta2 = 0.999;           ///< decay rate of the mean of their squares, in [0, 1)
  Hyper eps = 1e-8;              ///< added to the root, outside of it
  Hyper weight_decay = 0;        ///< lambda, an L2 penalty: g += lambda p
  Hyper momentum_decay = 4e-3;   ///< psi, of beta1's schedule
  bool decoupled_decay = false;  ///< p *= 1 - lr lambda before the step in place of the penalty, as in AdamW
  bool maximize = false;         ///< ascends instead
};

/// NAdam (Dozat, "Incorporating Nesterov momentum into Adam", 2016), with the schedule of its section 2. In
/// step t, from 1:
///
///   g += lambda p
///   m = beta1 m + (1 - beta1) g
///   v = beta2 v + (1 - beta2) g^2
///   mu_t = beta1 (1 - 0.96^(t psi) / 2), and M the product of mu_1 to mu_t
///   p -= lr ((1 - mu_t) / (1 - M) g + mu_(t+1) / (1 - M mu_(t+1)) m) / (sqrt(v / (1 - beta2^t)) + eps)
///
/// State of a parameter: "m", "v" and "mu_product", which is M, a float64 [].
class NAdam : public OptimizerOf<NAdamOptions> {
 public:
  explicit NAdam(std::vector<nn::ParameterRef> parameters, const NAdamOptions& options = {});
};
extern template class OptimizerOf<NAdamOptions>;

/// The pure form; see `step` in optim/sgd.h. Differentiable in parameters, gradients, moments
/// and hyperparameters; where the sum of squares is 0, its root has the derivative 0.
[[nodiscard]] Stepped step(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients,
                           const std::vector<State>& states, const NAdamOptions& options);

}}}  // namespace xtgrad::v1::optim
