#include "xtgrad/nn/activations.h"

#include <fmt/format.h>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::nn {

std::string_view to_string(ActivationKind kind) {
  switch (kind) {
    case ActivationKind::identity:
      return "identity";
    case ActivationKind::step:
      return "step";
    case ActivationKind::relu:
      return "relu";
    case ActivationKind::tanh:
      return "tanh";
    case ActivationKind::sigmoid:
      return "sigmoid";
    case ActivationKind::softplus:
      return "softplus";
    case ActivationKind::leaky_relu:
      return "leaky_relu";
    case ActivationKind::elu:
      return "elu";
    case ActivationKind::gelu:
      return "gelu";
    case ActivationKind::gelu_tanh:
      return "gelu_tanh";
    case ActivationKind::silu:
      return "silu";
    case ActivationKind::log_sigmoid:
      return "log_sigmoid";
  }
  throw ValueError(fmt::format("ActivationKind: no such kind: {}", static_cast<int>(kind)));
}

Tensor activate(const Tensor& x, ActivationKind kind, const ActivationOptions& options) {
  switch (kind) {
    case ActivationKind::identity:
      return alias(x);
    case ActivationKind::step:
      return greater(x, 0).to(x.dtype());
    case ActivationKind::relu:
      return relu(x);
    case ActivationKind::tanh:
      return tanh(x);
    case ActivationKind::sigmoid:
      return sigmoid(x);
    case ActivationKind::softplus:
      return softplus(x);
    case ActivationKind::leaky_relu:
      return leaky_relu(x, options.slope);
    case ActivationKind::elu:
      return elu(x, options.alpha);
    case ActivationKind::gelu:
      return gelu(x);
    case ActivationKind::gelu_tanh:
      return gelu_tanh(x);
    case ActivationKind::silu:
      return silu(x);
    case ActivationKind::log_sigmoid:
      return log_sigmoid(x);
  }
  throw ValueError(fmt::format("activate: no such kind: {}", static_cast<int>(kind)));
}

Tensor LeakyReLU::forward(const Tensor& x) { return leaky_relu(x, slope_); }
Tensor ELU::forward(const Tensor& x) { return elu(x, alpha_); }

}  // namespace xtgrad::v1::nn
