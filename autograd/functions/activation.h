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
/// x tanh(softplus(x)). (Misra, 2019)
[[nodiscard]] Tensor mish(const Tensor& x);

/// x where x > 0, else alpha * (e^(x / alpha) - 1), smooth at 0 for every alpha > 0.
[[nodiscard]] Tensor celu(const Tensor& x, double alpha = 1);
/// 1.0507 times x where x > 0, else times 1.6733 (e^x - 1): activations keep mean 0 and variance 1. The
/// derivative at 0 is 1.0507. (Klambauer et al., 2017)
[[nodiscard]] Tensor selu(const Tensor& x);
/// x where x > 0, else slope * x with a slope that is learned: `weight` is one for all, one a channel, [c]
/// for an x [n, c, ...], or broadcasts. The derivative at 0 is the slope. (He et al., 2015)
[[nodiscard]] Tensor prelu(const Tensor& x, const Tensor& weight);
/// x / (1 + |x|).
[[nodiscard]] Tensor softsign(const Tensor& x);
/// x - tanh(x), to the last digits near 0.
[[nodiscard]] Tensor tanhshrink(const Tensor& x);
/// x where |x| > lambda, else 0; derivative 0 at the ends.
[[nodiscard]] Tensor hardshrink(const Tensor& x, double lambda = 0.5);
/// x - lambda above lambda, x + lambda below -lambda, else 0; derivative 0 at the ends.
[[nodiscard]] Tensor softshrink(const Tensor& x, double lambda = 0.5);
/// x where x > threshold, else `value`, where the derivative is 0; NaN stays.
[[nodiscard]] Tensor threshold(const Tensor& x, double threshold, double value);

// Of straight pieces; derivative 0 at the ends of a constant one.
[[nodiscard]] Tensor relu6(const Tensor& x);  ///< min(max(x, 0), 6)
/// min(max(x, min), max). Throws ValueError if min > max.
[[nodiscard]] Tensor hardtanh(const Tensor& x, double min = -1, double max = 1);
[[nodiscard]] Tensor hardsigmoid(const Tensor& x);  ///< min(max(x + 3, 0), 6) / 6
/// x * min(max(x + 3, 0), 6) / 6; the derivative at -3 is 0, and at 3 it is 1. (Howard et al., 2019)
[[nodiscard]] Tensor hardswish(const Tensor& x);

}}  // namespace xtgrad::v1
