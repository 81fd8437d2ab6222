#pragma once

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/kernels/levels/draw.h"

namespace xtgrad::inline v1::detail {

/// A draw from the gamma distribution of each shape parameter, above 0, and the rate 1; or its logarithm,
/// which is finite where the draw itself would be 0. Draws are no smaller than the least normal number.
///
/// Element i reads the blocks i + 2^48 p of the stream: p = 0 where its parameter is below 1, and p = 2k + 1
/// and 2k + 2 at attempt k. So its bits depend on its parameter and its place alone.
void draw_gamma(const DrawStream& stream, const Array& alpha, bool log_space, Array& out);

}  // namespace xtgrad::v1::detail
