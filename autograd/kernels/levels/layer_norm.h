#pragma once

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail {

// Rows [rows, n] of one floating dtype, each normalised by its own mean and biased variance, then scaled and
// shifted by numbers of the columns. Means and variances are float64 and so are all sums, in an order that
// follows from the sizes alone. Rows whose deviation is near the end of float32's range are computed in
// double.

XTGRAD_KERNELS_BEGIN

/// y = (x - mean) / sqrt(variance + eps) * weight + bias; `moments`, float64 [2, rows], get means and
/// variances. Where they are [1, rows] the means count as 0, and the variances are means of squares. Null for
/// no bias.
void layer_norm_rows(const Array& x, const Array& weight, const Array* bias, double eps, Array& moments,
                     Array& y);

XTGRAD_KERNELS_END
XTGRAD_KERNEL(layer_norm_rows)

/// Where the gradients go; null for those not wanted.
struct LayerNormGrads {
  Array* x;
  Array* weight;
  Array* bias;
};

XTGRAD_KERNELS_BEGIN

/// With z = (x - mean) / sqrt(variance + eps) and t = g weight: dx = (t - mean(t) - z mean(t z)) / sqrt(
/// variance + eps), means over a row; dweight = sum(g z), dbias = sum(g), sums over a column. `weight` is
/// read for dx alone. Of moments [1, rows], mean(t) counts as 0 as well.
void layer_norm_rows_grad(const Array& g, const Array& x, const Array& moments, double eps,
                          const Array& weight, const LayerNormGrads& out);

/// dbias alone, in the same bits, of g [..., bias's shape].
void layer_norm_bias_grad(const Array& g, Array& bias);

XTGRAD_KERNELS_END
XTGRAD_KERNEL(layer_norm_rows_grad)
XTGRAD_KERNEL(layer_norm_bias_grad)

}  // namespace xtgrad::v1::detail
