#pragma once

#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/optim/hyper.h"
#include "xtgrad/optim/optimizer_of.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace optim {

struct RpropOptions {
  Hyper lr = 1e-2;        ///< the size of the first step; later changes have no effect
  Hyper eta_minus = 0.5;  ///< factor of the size where the gradient's sign has changed, in (0, 1)
  Hyper eta_plus = 1.2;   ///< factor where it has not, above 1
  double min_step = 1e-6;
  double max_step = 50;
  bool maximize = false;  ///< ascends instead
};

/// Resilient propagation (Riedmiller and Braun, "A direct adaptive method for faster backpropagation
/// learning", 1993), for gradients of the whole data. An element moves by its own step size, of whose
/// gradient the sign alone counts; h is the gradient before, and 0 at first:
///
///   s = s eta_plus  where g h > 0,  s eta_minus  where g h < 0,  then clamped to [min_step, max_step]
///   g = 0           where g h < 0
///   p -= s sign(g)
///
/// State of a parameter: "previous", which is h, and "step_size", which is s.
class Rprop : public OptimizerOf<RpropOptions> {
 public:
  explicit Rprop(std::vector<nn::ParameterRef> parameters, const RpropOptions& options = {});
};
extern template class OptimizerOf<RpropOptions>;

/// The pure form; see `step` in optim/sgd.h. Differentiable in parameters, step sizes and
/// hyperparameters; the derivative in the gradients is 0.
[[nodiscard]] Stepped step(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients,
                           const std::vector<State>& states, const RpropOptions& options);

}}}  // namespace xtgrad::v1::optim
