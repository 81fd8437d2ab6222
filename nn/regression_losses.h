#pragma once

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/reduction.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

// Losses of predicted numbers. Prediction and target have one shape, for a difference of [n] and [n, 1] would
// be [n, n], and one dtype; ShapeError or DtypeError says where they have not. d is prediction - target.

struct MseLossOptions {
  Reduction reduction = Reduction::mean;
  bool half = false;  ///< one half of it, whose derivative is without the factor 2
};

/// Squared error of each element, d^2. The three scalings found in books: the mean is the default;
/// {.reduction = sum, .half = true} is 1/2 sum (y - p)^2; {.half = true} is 1/(2n) sum (y - p)^2, n being the
/// number of elements.
[[nodiscard]] Tensor mse_loss(const Tensor& prediction, const Tensor& target,
                              const MseLossOptions& options = {});

struct L1LossOptions {
  Reduction reduction = Reduction::mean;
};

/// Absolute error of each element, |d|; derivative 0 at 0.
[[nodiscard]] Tensor l1_loss(const Tensor& prediction, const Tensor& target,
                             const L1LossOptions& options = {});

struct SmoothL1LossOptions {
  double beta = 1;  ///< where the parabola ends; not negative
  Reduction reduction = Reduction::mean;
};

/// d^2 / (2 beta) where |d| < beta, else |d| - beta / 2 (Girshick, "Fast R-CNN", 2015); l1_loss for beta = 0.
/// Throws ValueError for a beta that is negative or not finite.
[[nodiscard]] Tensor smooth_l1_loss(const Tensor& prediction, const Tensor& target,
                                    const SmoothL1LossOptions& options = {});

struct HuberLossOptions {
  double delta = 1;  ///< where the parabola ends; positive
  Reduction reduction = Reduction::mean;
};

/// d^2 / 2 where |d| < delta, else delta (|d| - delta / 2): delta times smooth_l1_loss (Huber, "Robust
/// estimation of a location parameter", 1964). Throws ValueError unless delta is positive and finite.
///
///   Tensor loss = nn::huber_loss(model(x), prices, {.delta = 2});
[[nodiscard]] Tensor huber_loss(const Tensor& prediction, const Tensor& target,
                                const HuberLossOptions& options = {});

struct PoissonNllLossOptions {
  bool log_input = true;  ///< the prediction is the logarithm of the rate, not the rate
  bool full = false;      ///< add Stirling's approximation of log(target!), where the target exceeds 1
  double eps = 1e-8;      ///< added to a rate before its logarithm is taken
  Reduction reduction = Reduction::mean;
};

/// -log of the probability that a Poisson distribution of the predicted rate gives to the target y, without
/// the term log(y!), which does not depend on the prediction p: e^p - y p, or p - y log(p + eps) without
/// log_input. Full adds y log y - y + log(2 pi y) / 2 where y > 1. Throws ValueError unless eps is positive
/// and finite.
[[nodiscard]] Tensor poisson_nll_loss(const Tensor& prediction, const Tensor& target,
                                      const PoissonNllLossOptions& options = {});

struct GaussianNllLossOptions {
  bool full = false;  ///< add the constant log(2 pi) / 2
  double eps = 1e-6;  ///< smaller variances count as this
  Reduction reduction = Reduction::mean;
};

/// -log of the density that a normal distribution of the predicted mean and variance has at the target,
/// (log v + d^2 / v) / 2 with v = max(variance, eps). The variance broadcasts to the prediction's shape.
/// Where it is at most eps it has no gradient. Throws ValueError for a negative one, and unless eps is
/// positive and finite.
[[nodiscard]] Tensor gaussian_nll_loss(const Tensor& prediction, const Tensor& target, const Tensor& variance,
                                       const GaussianNllLossOptions& options = {});

}}}  // namespace xtgrad::v1::nn
