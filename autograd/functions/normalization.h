// Normalisation by mean and variance, and by size alone.
#pragma once

#include <cstdint>
#include <optional>

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

struct RmsNormOptions {
  /// Added to the mean of the squares; the distance from 1 to the next number of x's dtype if absent.
  std::optional<double> eps = std::nullopt;
};
/// x / sqrt(mean(x^2) + eps) over the last dimensions of x, which are those of the weight, times the weight.
/// Throws ShapeError or DtypeError where they do not fit, ValueError for an eps that is negative or not
/// finite. (Zhang and Sennrich, 2019)
[[nodiscard]] Tensor rms_norm(const Tensor& x, const Tensor& weight, const RmsNormOptions& options = {});
/// The same over the last dimension, without a weight.
[[nodiscard]] Tensor rms_norm(const Tensor& x, const RmsNormOptions& options = {});

/// Normalises x [n, c, ...] by mean and biased variance of each group of c / groups neighbouring channels and
/// all that follows, then scales by weight [c] and shifts by bias [c]. Gradients flow through mean and
/// variance. A single value gives the bias. Throws ShapeError or DtypeError where the operands do not fit,
/// ValueError where the groups do not divide the channels. (Wu and He, 2018)
[[nodiscard]] Tensor group_norm(const Tensor& x, std::int64_t groups, const Tensor& weight,
                                const Tensor& bias, const NormalizeOptions& options = {});
/// group_norm of which each channel is a group: each channel of each sample is normalised by itself.
/// (Ulyanov, Vedaldi and Lempitsky, 2016)
[[nodiscard]] Tensor instance_norm(const Tensor& x, const Tensor& weight, const Tensor& bias,
                                   const NormalizeOptions& options = {});
/// The same without a weight and a bias.
[[nodiscard]] Tensor instance_norm(const Tensor& x, const NormalizeOptions& options = {});

}}  // namespace xtgrad::v1
