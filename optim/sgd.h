#pragma once

#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/optim/hyper.h"
#include "xtgrad/optim/optimizer_of.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace optim {

struct SGDOptions {
  Hyper lr = {};                ///< required
  Hyper momentum = 0;           ///< mu; the number 0 means no momentum buffer
  Hyper dampening = 0;          ///< tau
  Hyper weight_decay = 0;       ///< lambda, an L2 penalty of lambda / 2 times the sum of squares
  bool nesterov = false;        ///< needs momentum and no dampening
  bool lr_in_velocity = false;  ///< b = mu b + (1 - tau) lr g; p -= b (Nesterov: lr g + mu b)
  bool maximize = false;        ///< ascends instead
};

/// Gradient descent, stochastic if the gradients are, with momentum if asked for:
///
///   g += lambda p
///   b = mu b + (1 - tau) g    (b = g in the first step)
///   p -= lr b                 (Nesterov: p -= lr (g + mu b))
///
/// The learning rate is outside the velocity b, as in PyTorch, so a change of it acts at once; with
/// `lr_in_velocity` it is inside, as in Sutskever et al. (2013) and many textbooks, which is the same while
/// lr is constant. State of a parameter: b, called "momentum", if there is momentum; where that is switched
/// on after the first step, b starts at 0.
class SGD : public OptimizerOf<SGDOptions> {
 public:
  explicit SGD(std::vector<nn::ParameterRef> parameters, const SGDOptions& options = {});
};
extern template class OptimizerOf<SGDOptions>;

/// The pure form: the parameters and states after one step, which is recorded if a parameter, gradient,
/// moment or hyperparameter wants a gradient, and differentiable in all of them. `states` is empty before the
/// first step; an empty gradient leaves its parameter as it is. Throws ValueError, ShapeError or DtypeError
/// where counts, options, shapes or dtypes are wrong.
///
///   Tensor lr = tensor(0.1, {.requires_grad = true});
///   Tensor w = tensor({1, -2}, {.requires_grad = true});
///   std::vector<optim::State> states;
///   for (int i = 0; i < 3; ++i) {
///     std::vector<Tensor> g = grad({sum(square(w))}, {w}, {.create_graph = true});
///     auto [parameters, next] = optim::step({w}, g, states, optim::SGDOptions{.lr = lr, .momentum = 0.9});
///     w = parameters[0];
///     states = next;
///   }
///   Tensor slope = grad({sum(square(w))}, {lr})[0];  // of the final loss, in the learning rate
[[nodiscard]] Stepped step(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients,
                           const std::vector<State>& states, const SGDOptions& options);

}}}  // namespace xtgrad::v1::optim
