#pragma once

#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/optim/hyper.h"
#include "xtgrad/optim/optimizer_of.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace optim {

struct ASGDOptions {
  Hyper lr = 1e-2;
  Hyper decay = 1e-4;      ///< lambda_d, of the learning rate and of the parameter
  Hyper alpha = 0.75;      ///< exponent of the learning rate's decay
  double t0 = 1e6;         ///< the step from which the average is one of all values; before, it is the value
  Hyper weight_decay = 0;  ///< lambda, an L2 penalty: g += lambda p
  bool maximize = false;   ///< ascends instead
};

/// Averaged stochastic gradient descent (Polyak and Juditsky, "Acceleration of stochastic approximation by
/// averaging", 1992), in PyTorch's form. eta is lr before the first step. In step t, from 1:
///
///   g += lambda p
///   p = (1 - lambda_d eta) p - eta g
///   a = a + mu (p - a)                            (mu is 1 in the first step, so a = p)
///   eta = lr / (1 + lambda_d lr t)^alpha, and mu = 1 / max(1, t - t0), for the next step
///
/// What the parameters are to be in use is their average:
///
///   const nn::WithParameters scope(asgd.parameters(), asgd.averages());  // model(x) by the averages
///
/// State of a parameter: "average", which is a, and "eta", a float64 [].
class ASGD : public OptimizerOf<ASGDOptions> {
 public:
  explicit ASGD(std::vector<nn::ParameterRef> parameters, const ASGDOptions& options = {});

  /// One for each parameter, in the order of `parameters()`; a parameter's own value before its first step.
  [[nodiscard]] std::vector<Tensor> averages() const;
};
extern template class OptimizerOf<ASGDOptions>;

/// The pure form; see `step` in optim/sgd.h. Differentiable in parameters, gradients, moments
/// and hyperparameters.
[[nodiscard]] Stepped step(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients,
                           const std::vector<State>& states, const ASGDOptions& options);

}}}  // namespace xtgrad::v1::optim
