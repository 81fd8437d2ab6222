#pragma once

#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/optim/hyper.h"
#include "xtgrad/optim/optimizer_of.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace optim {

struct AdamaxOptions {
  Hyper lr = 2e-3;
  Hyper beta1 = 0.9;       ///< decay rate of the mean of gradients, in [0, 1)
  Hyper beta2 = 0.999;     ///< decay rate of the largest, in [0, 1)
  Hyper eps = 1e-8;        ///< added to |g|, inside of the maximum
  Hyper weight_decay = 0;  ///< lambda, an L2 penalty: g += lambda p
  bool maximize = false;   ///< ascends instead
};

/// Adamax (Kingma and Ba, "Adam: a method for stochastic optimization", 2015, section 7). In step t, from 1:
///
///   g += lambda p
///   m = beta1 m + (1 - beta1) g
///   u = max(beta2 u, |g| + eps)
///   p -= lr / (1 - beta1^t) m / u
///
/// State of a parameter: "m" and "u".
class Adamax : public OptimizerOf<AdamaxOptions> {
 public:
  explicit Adamax(std::vector<nn::ParameterRef> parameters, const AdamaxOptions& options = {});
};
extern template class OptimizerOf<AdamaxOptions>;

/// The pure form; see `step` in optim/sgd.h. Differentiable in parameters, gradients, moments
/// and hyperparameters; u has the derivatives of `maximum` and `abs`.
[[nodiscard]] Stepped step(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients,
                           const std::vector<State>& states, const AdamaxOptions& options);

}}}  // namespace xtgrad::v1::optim
