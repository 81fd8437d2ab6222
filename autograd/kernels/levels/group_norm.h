#pragma once

#include <cstdint>

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail {

/// x [n, c, ...] as [n, groups, channels, inner], of which each group is normalised by moments of its own.
struct ChannelGroups {
  std::int64_t n = 0;
  std::int64_t groups = 1;
  std::int64_t channels = 1;  // of a group
  std::int64_t inner = 1;

  [[nodiscard]] std::int64_t rows() const { return n * groups; }
  [[nodiscard]] std::int64_t count() const { return channels * inner; }  // elements of a group
};

/// Where the gradients go; null for those not wanted.
struct GroupNormGrads {
  Array* x;
  Array* weight;
  Array* bias;
};

// As the kernels of layer_norm, but the weight and bias [groups * channels] are those of channels.

XTGRAD_KERNELS_BEGIN

/// y = (x - mean) / sqrt(variance + eps) * weight + bias; `moments`, float64 [2, rows], get means and
/// variances of the groups.
void group_norm_rows(const ChannelGroups& at, const Array& x, const Array& weight, const Array& bias,
                     double eps, Array& moments, Array& y);

/// With z = (x - mean) / sqrt(variance + eps) and t = g weight: dx = (t - mean(t) - z mean(t z)) / sqrt(
/// variance + eps), means over a group; dweight = sum(g z), dbias = sum(g), sums over a channel.
void group_norm_rows_grad(const ChannelGroups& at, const Array& g, const Array& x, const Array& moments,
                          double eps, const Array& weight, const GroupNormGrads& out);

/// dbias alone, in the same bits.
void group_norm_bias_grad(const ChannelGroups& at, const Array& g, Array& bias);

XTGRAD_KERNELS_END
XTGRAD_KERNEL(group_norm_rows)
XTGRAD_KERNEL(group_norm_rows_grad)
XTGRAD_KERNEL(group_norm_bias_grad)

}  // namespace xtgrad::v1::detail
