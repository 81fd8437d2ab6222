#pragma once

#include <cstdint>

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail {

/// An array [n, c, ...] seen as [n, c, inner].
struct Channels {
  std::int64_t n;
  std::int64_t c;
  std::int64_t inner;

  /// Values of one channel.
  [[nodiscard]] std::int64_t count() const { return n * inner; }
};

// Moments are float64 [2, c], means and then biased variances, whatever the dtype of x: their errors would be
// those of whole channels. Sums are made in float64, too, in an order that follows from the sizes alone.

XTGRAD_KERNELS_BEGIN

/// Mean and biased variance of each channel, NaN where x has no elements. Deviations are taken from a mean,
/// so a mean far from zero costs no digits; a row [inner] is read twice while it is in cache.
void channel_moments(const Channels& at, const Array& x, Array& moments);

/// y = (x - mean) / sqrt(variance + eps) * weight + bias; weight and bias are [c].
void normalize_channels(const Channels& at, const Array& x, const Array& moments, double eps,
                        const Array& weight, const Array& bias, Array& y);

XTGRAD_KERNELS_END
XTGRAD_KERNEL(channel_moments)
XTGRAD_KERNEL(normalize_channels)

/// Where the gradients of normalize_channels go, through the moments too; null for those not wanted.
struct NormalizedGrads {
  Array* x;
  Array* weight;
  Array* bias;
};

XTGRAD_KERNELS_BEGIN

/// With z = (x - mean) / sqrt(variance + eps): dx = weight / sqrt(variance + eps) (g - mean(g) - z mean(g
/// z)), dweight = sum(g z), dbias = sum(g), means and sums over each channel. Of no elements the sums are
/// 0.
void normalize_channels_grad(const Channels& at, const Array& g, const Array& x, const Array& moments,
                             double eps, const Array& weight, const NormalizedGrads& out);

/// The bias' gradient alone: sums [c] of g over each channel, with the bits of normalize_channels_grad's.
void sum_channels(const Channels& at, const Array& g, Array& sums);

XTGRAD_KERNELS_END
XTGRAD_KERNEL(normalize_channels_grad)
XTGRAD_KERNEL(sum_channels)

}  // namespace xtgrad::v1::detail
