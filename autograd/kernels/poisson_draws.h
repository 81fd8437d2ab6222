#pragma once

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/kernels/levels/draw.h"

namespace xtgrad::inline v1::detail {

/// A draw from the Poisson distribution of each rate, at least 0. Element i reads the blocks i + 2^48 k of
/// the stream at attempt k, so its bits depend on its rate and its place alone.
void draw_poisson(const DrawStream& stream, const Array& rate, Array& out);

}  // namespace xtgrad::v1::detail
