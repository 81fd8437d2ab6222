#pragma once

#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/optim/hyper.h"
#include "xtgrad/optim/optimizer_of.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace optim {

struct AdamOptions {
  Hyper lr = 1e-3;
  Hyper beta1 = 0.9;       ///< decay rate of the mean of gradients, in [0, 1)
  Hyper beta2 = 0.999;     ///< decay rate of the mean of their squares, in [0, 1)
  Hyper eps = 1e-8;        ///< added to the root, outside of it
  Hyper weight_decay = 0;  ///< lambda, an L2 penalty: g += lambda p
  bool amsgrad = false;    ///< divide by the root of the largest v so far
  bool maximize = false;   ///< ascends instead
};

/// Adam (Kingma and Ba, "Adam: a method for stochastic optimization", 2015), and AMSGrad (Reddi, Kale and
/// Kumar, 2018), whose maximum is taken before the correction of the bias, as in PyTorch. In step t, from 1:
///
///   g += lambda p
///   m = beta1 m + (1 - beta1) g
///   v = beta2 v + (1 - beta2) g^2
///   p -= lr / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
///
/// State of a parameter: "m", "v" and, for AMSGrad, "v_max".
///
///   optim::Adam adam(model.hidden.parameters(), {.lr = 3e-4});
///   adam.add_group(model.head.parameters(), {.lr = 3e-3, .weight_decay = 0.01});
class Adam : public OptimizerOf<AdamOptions> {
 public:
  explicit Adam(std::vector<nn::ParameterRef> parameters, const AdamOptions& options = {});
};
extern template class OptimizerOf<AdamOptions>;

struct AdamWOptions {
  Hyper lr = 1e-3;
  Hyper beta1 = 0.9;
  Hyper beta2 = 0.999;
  Hyper eps = 1e-8;
  Hyper weight_decay = 1e-2;  ///< lambda, decoupled from the gradient: p *= 1 - lr lambda
  bool amsgrad = false;
  bool maximize = false;
};

/// Adam with decoupled weight decay (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019):
/// each step first multiplies the parameter by 1 - lr lambda, and is Adam's without L2 penalty from there.
/// State and errors as Adam's.
class AdamW : public OptimizerOf<AdamWOptions> {
 public:
  explicit AdamW(std::vector<nn::ParameterRef> parameters, const AdamWOptions& options = {});
};
extern template class OptimizerOf<AdamWOptions>;

/// The pure form of Adam's step; see `step` in optim/sgd.h. Differentiable in parameters, gradients, moments
/// and hyperparameters; where v is 0 its root has the derivative 0, so a gradient of exactly 0 does no harm.
[[nodiscard]] Stepped step(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients,
                           const std::vector<State>& states, const AdamOptions& options);
/// The same for AdamW.
[[nodiscard]] Stepped step(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients,
                           const std::vector<State>& states, const AdamWOptions& options);

}}}  // namespace xtgrad::v1::optim
