#pragma once

#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/optim/hyper.h"
#include "xtgrad/optim/optimizer_of.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace optim {

struct AdadeltaOptions {
  Hyper lr = 1;
  Hyper rho = 0.9;         ///< decay rate of both means, in [0, 1)
  Hyper eps = 1e-6;        ///< added under both roots
  Hyper weight_decay = 0;  ///< lambda, an L2 penalty: g += lambda p
  bool maximize = false;   ///< ascends instead
};

/// Adadelta (Zeiler, "ADADELTA: an adaptive learning rate method", 2012):
///
///   g += lambda p
///   v = rho v + (1 - rho) g^2
///   d = sqrt(u + eps) / sqrt(v + eps) g
///   u = rho u + (1 - rho) d^2
///   p -= lr d
///
/// State of a parameter: "v" and "u", the means of squares of gradients and of changes.
class Adadelta : public OptimizerOf<AdadeltaOptions> {
 public:
  explicit Adadelta(std::vector<nn::ParameterRef> parameters, const AdadeltaOptions& options = {});
};
extern template class OptimizerOf<AdadeltaOptions>;

/// The pure form; see `step` in optim/sgd.h. Differentiable in parameters, gradients, moments
/// and hyperparameters; where the sum of squares is 0, its root has the derivative 0.
[[nodiscard]] Stepped step(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients,
                           const std::vector<State>& states, const AdadeltaOptions& options);

}}}  // namespace xtgrad::v1::optim
