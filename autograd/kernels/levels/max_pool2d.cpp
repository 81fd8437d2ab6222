#include "xtgrad/autograd/kernels/levels/max_pool2d.h"

#include <algorithm>
#include <limits>
#include <type_traits>

#include "xtgrad/autograd/kernels/levels/lanes_index.h"
#include "xtgrad/autograd/kernels/levels/lanes_pairs.h"
#include "xtgrad/autograd/kernels/levels/max_pool2d_halves.h"
#include "xtgrad/autograd/kernels/levels/plane_sums.h"
#include "xtgrad/autograd/kernels/levels/scratch.h"
#include "xtgrad/autograd/kernels/levels/window_walk.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {
namespace {

/// Where results go; a null pointer takes none.
template <class T, class Place>
struct Pooled {
  T* y;
  Place* places;

  /// Writes `n` windows from number `first` on.
  template <class Position>
  void write(std::int64_t first, std::int64_t n, const T* largest, const Position* largest_at) const {
    if (y != nullptr) std::copy_n(largest, n, y + first);
    if (places == nullptr) return;
    for (std::int64_t j = 0; j < n; ++j) places[first + j] = static_cast<Place>(largest_at[j]);
  }
};

/// True if the windows are 2x2 and side by side: each element is in one, or, at an odd end, in none.
bool is_halving(const WindowedPlanes& at) {
  const Window& window = at.window;
  return window.kernel == Size2d(2) && window.stride == Size2d(2) && window.padding == Size2d(0) &&
         window.dilation == Size2d(1) && at.places.height == at.image.height / 2 &&
         at.places.width == at.image.width / 2;
}

/// For even sizes, when no row or column is left over: pieces of the planes that stay in the first-level
/// cache.
template <bool WithPlaces, class T, class Place>
void pool_even_halves(const WindowedPlanes& at, const T* x, const Pooled<T, Place>& out) {
  constexpr std::int64_t piece_elements = 1 << 12, tile_pieces = 8;
  const std::int64_t pairs = at.planes * at.places.height;
  const std::int64_t per_piece = std::max<std::int64_t>(1, piece_elements / (2 * at.image.width));
  const std::int64_t per_tile = tile_pieces * per_piece;
  for_each_tile((pairs + per_tile - 1) / per_tile, [&](std::int64_t tile) {
    Halves<T> halves(per_piece, at.places.width);
    const std::int64_t last = std::min(pairs, (tile + 1) * per_tile);
    for (std::int64_t pair = tile * per_tile; pair < last; pair += per_piece) {
      const std::int64_t count = std::min(per_piece, last - pair);
      halves.template find<WithPlaces>(
          x + pair * 2 * at.image.width, count,
          {.first = pair % at.places.height, .per_plane = at.places.height, .image_width = at.image.width});
      out.write(pair * at.places.width, count * at.places.width, halves.largest(), halves.largest_at());
    }
  });
}

/// For other sizes: the rows and columns of a plane that windows cover, without gaps, one plane at a time.
template <bool WithPlaces, class T, class Place>
void pool_odd_halves(const WindowedPlanes& at, const T* x, const Pooled<T, Place>& out) {
  for_each_plane(at, [&] {
    return [&, halves = Halves<T>(at.places.height, at.places.width),
            covered = ScratchVector<T>(static_cast<std::size_t>(4 * at.place_count()))](
               std::int64_t plane) mutable {
      const std::int64_t width = 2 * at.places.width;
      for (std::int64_t row = 0; row < 2 * at.places.height; ++row) {
        std::copy_n(x + plane * at.plane_size() + row * at.image.width, width, covered.data() + row * width);
      }
      halves.template find<WithPlaces>(
          covered.data(), at.places.height,
          {.first = 0, .per_plane = at.places.height, .image_width = at.image.width});
      out.write(plane * at.place_count(), at.place_count(), halves.largest(), halves.largest_at());
    };
  });
}

/// The largest elements of one row of windows and, if asked, where in the plane they are: -1 for a window on
/// padding alone.
template <class T, class Position, bool WithPlaces>
class RowOfWindows {
 public:
  RowOfWindows(const WindowedPlanes& at, const Stretches& columns)
      : at_(at),
        side_(at.window.columns()),
        columns_(columns),
        uses_lanes_(lanes_serve && side_.stride <= 2 && side_.extent() <= at.image.width),
        largest_(static_cast<std::size_t>(at.places.width + width)),
        largest_at_(static_cast<std::size_t>(WithPlaces ? at.places.width + width : 0)) {
    if (!uses_lanes_) return;
    const std::int64_t room = (at.places.width + 2 * width) * side_.stride + side_.extent();
    line_.assign(static_cast<std::size_t>(std::max(room, side_.padding + at.image.width)), -infinity);
  }

  /// Looks at row `i` of windows.
  void find(const T* plane, std::int64_t i) {
    const WindowSide rows = at_.window.rows();
    std::fill(largest_.begin(), largest_.end(), -infinity);
    std::fill(largest_at_.begin(), largest_at_.end(), Position(-1));
    const PlaceRange inside = elements_inside(rows, i, at_.image.height);
    for (std::int64_t k = inside.first; k < inside.last; ++k) {
      const std::int64_t start = (i * rows.stride + rows.offset(k)) * at_.image.width;
      if (!uses_lanes_) {
        compare_stretches(plane + start, start);
      } else if constexpr (lanes_serve) {
        std::copy_n(plane + start, at_.image.width, line_.data() + side_.padding);
        side_.stride == 1 ? compare_lanes<1>(start) : compare_lanes<2>(start);
      }
    }
    if constexpr (WithPlaces) {
      if (inside.first < inside.last)
        place_infinities((i * rows.stride + rows.offset(inside.first)) * at_.image.width);
    }
  }

  [[nodiscard]] const T* largest() const { return largest_.data(); }
  [[nodiscard]] const Position* largest_at() const { return largest_at_.data(); }

 private:
  static constexpr T infinity = std::numeric_limits<T>::infinity();
  static constexpr auto width = static_cast<std::int64_t>(Lane<T>::width);
  static constexpr bool lanes_serve = !WithPlaces || sizeof(Position) == sizeof(T);

  /// Compares the line of pixels that was copied between paddings of -inf, which never win. It starts at
  /// `start` in the plane.
  template <std::int64_t Stride>
  void compare_lanes(std::int64_t start) {
    for (std::int64_t j = 0; j < at_.places.width; j += width) {
      Lane<T> best = Lane<T>::load(largest_.data() + j);
      IndexLane<T> best_at(-1), at(-1);
      if constexpr (WithPlaces) {
        best_at = IndexLane<T>::load(largest_at_.data() + j);
        at = IndexLane<T>::counting(Stride) +
             IndexLane<T>(static_cast<Position>(start - side_.padding + j * Stride));
      }
      const T* pixels = line_.data() + j * Stride;
      for (std::int64_t k = 0; k < side_.kernel; ++k, pixels += side_.dilation) {
        const Lane<T> next = Stride == 1 ? Lane<T>::load(pixels) : evens(TwoLanes<T>::load(pixels));
        const Mask<T> wins = beats(next, best);
        best = where(wins, next, best);
        if constexpr (WithPlaces) {
          best_at = where(wins, at, best_at);
          at = at + IndexLane<T>(static_cast<Position>(side_.dilation));
        }
      }
      best.store(largest_.data() + j);
      if constexpr (WithPlaces) best_at.store(largest_at_.data() + j);
    }
  }

  /// The same for any stride, and for windows of any size, on the line itself.
  void compare_stretches(const T* line, std::int64_t start) {
    columns_.for_each([&](const Stretch& stretch) __attribute__((always_inline)) {
      T* largest = largest_.data() + stretch.place;
      Position* largest_at = WithPlaces ? largest_at_.data() + stretch.place : nullptr;
      const T* pixels = line + stretch.pixel;
      const auto at = static_cast<Position>(start + stretch.pixel);
      if (stretch.n > 1) {
        compare(pixels, at, side_.stride, stretch.n, largest, largest_at);
      } else if (beats(*pixels, *largest)) {  // one window, element after element: it rarely changes
        *largest = *pixels;
        if constexpr (WithPlaces) *largest_at = at;
      }
    });
  }

  static void compare(const T* __restrict line, Position first, std::int64_t stride, std::int64_t n,
                      T* __restrict largest, Position* __restrict largest_at) {
    for (std::int64_t j = 0; j < n; ++j) {
      const T next = line[j * stride], best = largest[j];
      const bool wins = beats(next, best);
      largest[j] = wins ? next : best;
      if constexpr (WithPlaces) {
        const auto at = static_cast<Position>(first + static_cast<Position>(j * stride));
        largest_at[j] = wins ? at : largest_at[j];
      }
    }
  }

  /// Windows in which nothing was larger than -inf: the first element that is no padding, if there is one.
  /// `start` is where the first line of pixels starts.
  void place_infinities(std::int64_t start) {
    for (std::int64_t j = 0; j < at_.places.width; ++j) {
      Position& at = largest_at_[static_cast<std::size_t>(j)];
      if (at >= 0) continue;
      const PlaceRange inside = elements_inside(side_, j, at_.image.width);
      if (inside.first < inside.last)
        at = static_cast<Position>(start + j * side_.stride + side_.offset(inside.first));
    }
  }

  WindowedPlanes at_;
  WindowSide side_;
  const Stretches& columns_;
  bool uses_lanes_;
  ScratchVector<T> line_;
  // A lane more than there are windows.
  ScratchVector<T> largest_;
  ScratchVector<Position> largest_at_;
};

template <bool WithPlaces, class T, class Place>
void pool_windows(const WindowedPlanes& at, const T* x, const Pooled<T, Place>& out) {
  // Of T's size where that will do, so that one mask serves both.
  using Position = std::conditional_t<sizeof(T) == 4, Place, std::int64_t>;
  const Stretches columns(at.window.columns(), at.image.width, at.places.width);
  for_each_plane(at, [&] {
    return [&, row = RowOfWindows<T, Position, WithPlaces>(at, columns)](std::int64_t plane) mutable {
      for (std::int64_t i = 0; i < at.places.height; ++i) {
        row.find(x + plane * at.plane_size(), i);
        out.write(plane * at.place_count() + i * at.places.width, at.places.width, row.largest(),
                  row.largest_at());
      }
    };
  });
}

template <bool WithPlaces, class T, class Place>
void max_pool_typed(const WindowedPlanes& at, const T* x, const Pooled<T, Place>& out) {
  if constexpr (!WithPlaces || sizeof(typename Halves<T>::Position) >= sizeof(Place)) {
    if (is_halving(at)) {
      const bool is_even = at.image.height % 2 == 0 && at.image.width % 2 == 0;
      return is_even ? pool_even_halves<WithPlaces>(at, x, out) : pool_odd_halves<WithPlaces>(at, x, out);
    }
  }
  pool_windows<WithPlaces>(at, x, out);
}

/// Calls `body(elements, places)` with zeros of the C++ types.
template <class F>
void visit_placed(const Array& elements, const Array& places, const F& body) {
  visit_floating(elements.dtype, [&](auto zero) {
    visit_listed<IndexTypes>(places.dtype, [&](auto index) { body(zero, index); });
  });
}

}  // namespace

void max_pool_planes(const WindowedPlanes& at, const Array& x, Array* y, Array* places) {
  visit_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    T* const to = y != nullptr ? y->mutable_data<T>() : nullptr;
    if (places == nullptr)
      return max_pool_typed<false>(at, x.data<T>(), Pooled<T, std::int32_t>{to, nullptr});
    visit_listed<IndexTypes>(places->dtype, [&](auto index) {
      using Place = decltype(index);
      max_pool_typed<true>(at, x.data<T>(), Pooled<T, Place>{to, places->mutable_data<Place>()});
    });
  });
}

void take_places(const PlacedPlanes& at, const Array& u, const Array& places, Array& y) {
  visit_placed(u, places, [&](auto zero, auto index) {
    using T = decltype(zero);
    const T* from = u.data<T>();
    const auto* place = places.data<decltype(index)>();
    T* to = y.mutable_data<T>();
    for_each_plane(at.planes, std::max(at.plane_size, at.place_count), [&] {
      return [&](std::int64_t plane) {
        const T* elements = from + plane * at.plane_size;
        for (std::int64_t k = plane * at.place_count; k < (plane + 1) * at.place_count; ++k)
          to[k] = place[k] < 0 ? T(0) : elements[place[k]];
      };
    });
  });
}

void put_places(const PlacedPlanes& at, bool few, const Array& g, const Array& places, Array& out) {
  visit_placed(g, places, [&](auto zero, auto index) {
    using T = decltype(zero);
    const T* from = g.data<T>();
    const auto* place = places.data<decltype(index)>();
    T* to = out.mutable_data<T>();
    for_each_plane(at.planes, std::max(at.plane_size, at.place_count), [&] {
      return [&, sums = PlaneSums<T>(at.plane_size, few || at.place_count <= few_terms)](
                 std::int64_t plane) mutable {
        sums.fill(to + plane * at.plane_size, [&](auto* elements) {
          for (std::int64_t k = plane * at.place_count; k < (plane + 1) * at.place_count; ++k) {
            if (place[k] >= 0) add_to(elements[place[k]], from[k]);
          }
        });
      };
    });
  });
}

}  // namespace xtgrad::v1::detail
