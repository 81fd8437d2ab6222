#pragma once

#include <span>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/parameter.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace optim {

struct ClipNormOptions {
  double norm_type = 2;             ///< p of the p-norm, positive; infinity for the largest magnitude
  bool error_if_nonfinite = false;  ///< throw, and change nothing, if the norm is infinite or NaN
};

/// Scales all gradients by one factor so that their norm, as if they were one vector, is at most `max_norm`:
/// by max_norm / (norm + 1e-6), if that is less than 1 (PyTorch's formula). Parameters without gradient do
/// not count. Returns the norm before, a float64 [] computed in double whatever the dtypes are: a tensor, so
/// that a captured step can return it. A norm that is NaN makes every gradient NaN. Throws ValueError for a
/// max_norm that is negative or NaN, for a norm_type that is not positive, and for a norm that is not finite
/// if the options ask for it.
///
///   loss.backward();
///   optim::clip_grad_norm(model.parameters(), 1.0);
///   sgd.step();
Tensor clip_grad_norm(std::span<const nn::ParameterRef> parameters, double max_norm,
                      const ClipNormOptions& options = {});

/// The norm of all gradients, as if they were one vector, float64 []; parameters without gradient do not
/// count. Computed in double whatever the dtypes are. Throws ValueError for a norm_type that is not positive.
[[nodiscard]] Tensor grad_norm(std::span<const nn::ParameterRef> parameters, double norm_type = 2);

/// Clamps every element of every gradient to [-limit, limit]; NaN stays NaN. Throws ValueError for a limit
/// that is negative or NaN.
void clip_grad_value(std::span<const nn::ParameterRef> parameters, double limit);

}}}  // namespace xtgrad::v1::optim
