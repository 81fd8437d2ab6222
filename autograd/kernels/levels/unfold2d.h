#pragma once

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/kernels/levels/level.h"
#include "xtgrad/autograd/kernels/window.h"

namespace xtgrad::inline v1::detail {

XTGRAD_KERNELS_BEGIN

/// columns[plane, ki, kj, i, j] = element (ki, kj) of the window at place (i, j) of x[plane], 0 in the
/// padding. Both are of one floating dtype.
void unfold_planes(const WindowedPlanes& at, const Array& x, Array& columns);

/// The adjoint: adds every element of the columns to its place in the image. The order of the additions
/// follows from the window alone.
void fold_planes(const WindowedPlanes& at, const Array& columns, Array& image);

XTGRAD_KERNELS_END
XTGRAD_KERNEL(unfold_planes)
XTGRAD_KERNEL(fold_planes)

}  // namespace xtgrad::v1::detail
