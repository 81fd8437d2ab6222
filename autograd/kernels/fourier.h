#pragma once

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/kernels/levels/fourier.h"

namespace xtgrad::inline v1::detail {

/// Transforms the rows of an array; both are of one floating dtype.
void fourier_rows(const FourierJob& job, const Array& in, Array& out);

}  // namespace xtgrad::v1::detail
