// Activations of neural networks, element by element.
#pragma once

#include <limits>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

[[nodiscard]] Tensor sigmoid(const Tensor& x);  ///< 1 / (1 + e^-x)
[[nodiscard]] Tensor relu(const Tensor& x);     ///< max(x, 0); derivative 0 at 0, and 1 at NaN, which wins

/// log(sigmoid(x)) = min(x, 0) - log(1 + e^-|x|), to the last digits for every x.
[[nodiscard]] Tensor log_sigmoid(const Tensor& x);

struct SoftplusOptions {
  double beta = 1;  ///< steepness, positive
  /// x itself is returned where beta * x exceeds this, which no x does by default.
  double threshold = std::numeric_limits<double>::infinity();
};
/// log(1 + e^(beta x)) / beta, a smooth relu, to the last digits for every x.
[[nodiscard]] Tensor softplus(const Tensor& x, const SoftplusOptions& options = {});

/// x where x >= 0, else slope * x. The derivative at 0 is the slope, and NaN at NaN.
[[nodiscard]] Tensor leaky_relu(const Tensor& x, double slope = 0.01);
/// x where x > 0, else alpha * (e^x - 1). The derivative at 0 is min(1, alpha).
[[nodiscard]] Tensor elu(const Tensor& x, double alpha = 1);
/// Phi(x), the standard normal distribution function: (1 + erf(x / sqrt(2))) / 2 without its cancellation.
[[nodiscard]] Tensor normal_cdf(const Tensor& x);
/// x * Phi(x), with Phi the standard normal distribution function (Hendrycks and Gimpel, 2016).
[[nodiscard]] Tensor gelu(const Tensor& x);
/// Gelu's approximation by tanh: x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3))).
[[nodiscard]] Tensor gelu_tanh(const Tensor& x);
/// x * sigmoid(x), also called swish.
[[nodiscard]] Tensor silu(const Tensor& x);

}}  // namespace xtgrad::v1
