#pragma once

#include "xtgrad/autograd/core/array.h"

namespace xtgrad::inline v1::detail {

/// How a draw z from the gamma distribution of shape alpha moves with alpha where its place among all draws,
/// the distribution function F(z; alpha), stays: dz/dalpha = -(dF/dalpha) / (dF/dz), to 12 digits at any draw
/// within 8 standard deviations. In `log_space` z is a logarithm, and so is what moves.
void gamma_slope(const Array& alpha, const Array& drawn, bool log_space, Array& out);

}  // namespace xtgrad::v1::detail
