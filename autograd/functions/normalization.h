// Normalisation by mean and variance.
#pragma once

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

struct BatchNormOptions {
  double eps = 1e-5;  ///< added to the variance
};
/// Normalises each channel of x [n, c, ...] by the mean and the biased variance over all else, then scales by
/// weight [c] and shifts by bias [c]. Gradients flow through mean and variance. Throws ShapeError for a
/// single value a channel, whose variance says nothing; of no values, such as an empty batch's, the result
/// has none either. (Ioffe and Szegedy, 2015)
[[nodiscard]] Tensor batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias,
                                const BatchNormOptions& options = {});
/// (x - mean) * scale + shift, channel by channel: x is [n, c, ...], the others are [c]. Batch normalisation
/// by known statistics, with scale = weight / sqrt(variance + eps); a mean far from zero costs no digits.
/// Throws ShapeError where the shapes do not fit.
[[nodiscard]] Tensor normalize_by(const Tensor& x, const Tensor& mean, const Tensor& scale,
                                  const Tensor& shift);

struct NormalizeOptions {
  double eps = 1e-5;  ///< added to the variance
};
/// Normalises x over its last dimensions, which are those of weight and bias, by mean and biased variance,
/// then scales and shifts element by element. Gradients flow through mean and variance. Throws ShapeError
/// where the shapes do not fit. (Ba, Kiros and Hinton, 2016)
[[nodiscard]] Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias,
                                const NormalizeOptions& options = {});

}}  // namespace xtgrad::v1
