// How pooling goes over planes, and over what a window meets in a row of them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "xtgrad/autograd/kernels/levels/level.h"
#include "xtgrad/autograd/kernels/levels/scratch.h"
#include "xtgrad/autograd/kernels/parallel.h"
#include "xtgrad/autograd/kernels/window.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

/// Calls the function that `make_body` makes, once a tile, so that it may hold scratch, for `planes` planes;
/// `work` elements are read or written for each.
template <class F>
void for_each_plane(std::int64_t planes, std::int64_t work, const F& make_body) {
  const std::int64_t per_tile = planes_per_tile(work);
  for_each_tile((planes + per_tile - 1) / per_tile, [&](std::int64_t tile) {
    auto body = make_body();
    const std::int64_t last = std::min(planes, (tile + 1) * per_tile);
    for (std::int64_t plane = tile * per_tile; plane < last; ++plane) body(plane);
  });
}

/// The same for planes on which every element of the window is looked at in every place.
template <class F>
void for_each_plane(const WindowedPlanes& at, const F& make_body) {
  std::int64_t work = 0;
  if (__builtin_mul_overflow(at.window.kernel.height, at.window.kernel.width, &work) ||
      __builtin_mul_overflow(work, at.place_count(), &work)) {
    work = std::numeric_limits<std::int64_t>::max();
  }
  for_each_plane(at.planes, std::max(at.plane_size(), work), make_body);
}

/// One element of the window in one row, at neighbouring places where it is no padding.
struct Stretch {
  std::int64_t element;
  std::int64_t place;  // the first
  std::int64_t pixel;  // there; the next is a stride further
  std::int64_t n;      // places
};

/// Each pair of a place and an element that meets the side is in one stretch. For each place its elements
/// come in order; for each pixel the last place comes first. The work is that of the pairs and places,
/// however many elements of the window lie in the padding.
class Stretches {
 public:
  Stretches(const WindowSide& side, std::int64_t size, std::int64_t places)
      : side_(side), size_(size), places_(places), are_kept_(side.kernel <= places) {
    if (!are_kept_) return;
    // Divisions, which would cost more than a row of pixels if made for each.
    for (std::int64_t k = 0; k < side.kernel; ++k) {
      const PlaceRange inside = places_inside(side, k, size, places);
      if (inside.first == inside.last) continue;
      kept_.push_back({.element = k,
                       .place = inside.first,
                       .pixel = inside.first * side.stride + side.offset(k),
                       .n = inside.last - inside.first});
    }
  }

  template <class F>
  [[gnu::always_inline]] void for_each(const F& body) const {
    if (are_kept_) {
      for (const Stretch& stretch : kept_) body(stretch);
      return;
    }
    for (std::int64_t place = places_ - 1; place >= 0; --place) {
      const PlaceRange inside = elements_inside(side_, place, size_);
      for (std::int64_t k = inside.first; k < inside.last; ++k)
        body(Stretch{.element = k, .place = place, .pixel = place * side_.stride + side_.offset(k), .n = 1});
    }
  }

 private:
  WindowSide side_;
  std::int64_t size_;
  std::int64_t places_;
  bool are_kept_;  // else there may be as many as pairs
  ScratchVector<Stretch> kept_;
};

}  // namespace xtgrad::v1::detail
