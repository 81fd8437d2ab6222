#pragma once

#include <cstdint>

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/kernels/levels/level.h"
#include "xtgrad/autograd/kernels/window.h"

namespace xtgrad::inline v1::detail {

// Max pooling of planes [planes, h, w], of a floating dtype, to [planes, places]. A place is a position in a
// plane, counted row by row, int32 or int64; -1 is no place. Planes, or rows of windows that lie side by
// side, are the unit of work, so results do not depend on the number of threads.

XTGRAD_KERNELS_BEGIN

/// Largest element of each window, and its place: the first of equal ones, and of NaNs, which win over
/// numbers. -inf and -1 for a window on padding alone. Either may be null, and is not computed then; the
/// dtype of `places` must hold the size of a plane.
void max_pool_planes(const WindowedPlanes& at, const Array& x, Array* y, Array* places);

XTGRAD_KERNELS_END
XTGRAD_KERNEL(max_pool_planes)

/// How many planes there are, of how many elements, with how many places in each.
struct PlacedPlanes {
  std::int64_t planes;
  std::int64_t plane_size;
  std::int64_t place_count;
};

XTGRAD_KERNELS_BEGIN

/// y [planes, places] = the elements of u [planes, h, w] at the places; 0 at no place.
void take_places(const PlacedPlanes& at, const Array& u, const Array& places, Array& y);

/// The adjoint of take_places in u: g [planes, places] added up at the places, 0 elsewhere. `few` if no
/// element is named by more than few_terms places.
void put_places(const PlacedPlanes& at, bool few, const Array& g, const Array& places, Array& out);

XTGRAD_KERNELS_END
XTGRAD_KERNEL(take_places)
XTGRAD_KERNEL(put_places)

}  // namespace xtgrad::v1::detail
