// Normalisation of groups of channels, and by size alone.
#pragma once

#include <cstdint>
#include <optional>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/functions/normalization.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

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
