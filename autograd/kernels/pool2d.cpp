#include "xtgrad/autograd/kernels/pool2d.h"

#include <limits>
#include <type_traits>
#include <vector>

#include "xtgrad/autograd/kernels/parallel.h"
#include "xtgrad/autograd/kernels/pool_halves.h"
#include "xtgrad/autograd/memory/pool_allocator.h"

namespace xtgrad::inline v1::detail {
namespace {

template <class T>
using Scratch = std::vector<T, PoolAllocator<T>>;

/// Calls `body(plane)` for all planes, a fixed number of them a tile.
template <class F>
void for_each_plane(const WindowedPlanes& at, const F& make_body) {
  std::int64_t work = 0;
  if (__builtin_mul_overflow(at.window.kernel.height, at.window.kernel.width, &work) ||
      __builtin_mul_overflow(work, at.place_count(), &work)) {
    work = std::numeric_limits<std::int64_t>::max();
  }
  const std::int64_t per_tile = planes_per_tile(std::max(at.plane_size(), work));
  for_each_tile((at.planes + per_tile - 1) / per_tile, [&](std::int64_t tile) {
    auto body = make_body();  // holds the tile's scratch
    const std::int64_t last = std::min(at.planes, (tile + 1) * per_tile);
    for (std::int64_t plane = tile * per_tile; plane < last; ++plane) body(plane);
  });
}

/// True if the windows are 2x2 and side by side: each element is in one, or, at an odd end, in none.
bool is_halving(const WindowedPlanes& at) {
  const Window& window = at.window;
  return window.kernel == Size2d(2) && window.stride == Size2d(2) && window.padding == Size2d(0) &&
         window.dilation == Size2d(1) && at.places.height == at.image.height / 2 &&
         at.places.width == at.image.width / 2;
}

/// Calls `body(halves, row pairs, their number)` for pieces of the planes that stay in the first-level cache.
/// For even sizes, when no row or column is left over.
template <class T, class F>
void for_each_piece(const WindowedPlanes& at, const F& body) {
  constexpr std::int64_t piece_elements = 1 << 12, tile_pieces = 8;
  const std::int64_t pairs = at.planes * at.places.height;
  const std::int64_t per_piece = std::max<std::int64_t>(1, piece_elements / (2 * at.image.width));
  const std::int64_t per_tile = tile_pieces * per_piece;
  for_each_tile((pairs + per_tile - 1) / per_tile, [&](std::int64_t tile) {
    Halves<T> halves(per_piece, at.places.width);
    const std::int64_t last = std::min(pairs, (tile + 1) * per_tile);
    for (std::int64_t pair = tile * per_tile; pair < last; pair += per_piece)
      body(halves, pair, std::min(per_piece, last - pair));
  });
}

bool is_even(const WindowedPlanes& at) { return at.image.height % 2 == 0 && at.image.width % 2 == 0; }

/// The rows and columns of a plane that 2x2 windows cover, without gaps: all but an odd last one.
template <class T>
void crop(const WindowedPlanes& at, const T* plane, T* covered) {
  const std::int64_t width = 2 * at.places.width;
  for (std::int64_t row = 0; row < 2 * at.places.height; ++row)
    std::copy_n(plane + row * at.image.width, width, covered + row * width);
}

/// The adjoint: zeros where nothing is covered.
template <class T>
void uncrop(const WindowedPlanes& at, const T* covered, T* plane) {
  const std::int64_t width = 2 * at.places.width;
  std::fill_n(plane, at.plane_size(), T(0));
  for (std::int64_t row = 0; row < 2 * at.places.height; ++row)
    std::copy_n(covered + row * width, width, plane + row * at.image.width);
}

/// What max pooling by halves of one plane with an odd side works on.
template <class T>
struct OddHalves {
  explicit OddHalves(const WindowedPlanes& at)
      : halves(at.places.height, at.places.width), x(covered(at)), other(covered(at)) {}
  static std::size_t covered(const WindowedPlanes& at) {
    return static_cast<std::size_t>(4 * at.place_count());
  }

  Halves<T> halves;
  Scratch<T> x;
  Scratch<T> other;
};

/// One element of the window in one row, at neighbouring places where it is no padding.
struct Stretch {
  std::int64_t element;
  std::int64_t place;  // the first
  std::int64_t pixel;  // there; the next is a stride further
  std::int64_t n;      // places
};

/// Calls `body` with stretches that hold each pair of a place and an element that meets the side, once. For
/// each place its elements come in order; for each pixel the last place comes first. The work is that of the
/// pairs and places, however many elements of the window lie in the padding.
template <class F>
[[gnu::always_inline]] inline void for_each_stretch(const WindowSide& side, std::int64_t size,
                                                    std::int64_t places, const F& body) {
  if (side.kernel <= places) {
    for (std::int64_t k = 0; k < side.kernel; ++k) {
      const PlaceRange inside = places_inside(side, k, size, places);
      if (inside.first == inside.last) continue;
      body(Stretch{.element = k,
                   .place = inside.first,
                   .pixel = inside.first * side.stride + side.offset(k),
                   .n = inside.last - inside.first});
    }
    return;
  }
  for (std::int64_t place = places - 1; place >= 0; --place) {
    const PlaceRange inside = elements_inside(side, place, size);
    for (std::int64_t k = inside.first; k < inside.last; ++k)
      body(Stretch{.element = k, .place = place, .pixel = place * side.stride + side.offset(k), .n = 1});
  }
}

/// The largest elements of one row of windows, and which element of its window each is.
template <class T>
class RowOfWindows {
 public:
  explicit RowOfWindows(const WindowedPlanes& at)
      : at_(at),
        best_(static_cast<std::size_t>(at.places.width)),
        winner_(static_cast<std::size_t>(at.places.width)) {}

  /// Looks at row `i` of windows.
  void find(const T* plane, std::int64_t i) {
    const WindowSide rows = at_.window.rows();
    const WindowSide columns = at_.window.columns();
    std::fill(best_.begin(), best_.end(), -std::numeric_limits<T>::infinity());
    std::fill(winner_.begin(), winner_.end(), Which(-1));
    first_row_ = i * rows.stride;
    const PlaceRange inside = elements_inside(rows, i, at_.image.height);
    for (std::int64_t ki = inside.first; ki < inside.last; ++ki) {
      const T* line = plane + (i * rows.stride + rows.offset(ki)) * at_.image.width;
      const std::int64_t first_element = ki * columns.kernel;
      // The compiler uses SIMD for strides that it knows.
      if (columns.stride == 1) {
        compare_row<1>(columns, line, first_element);
      } else if (columns.stride == 2) {
        compare_row<2>(columns, line, first_element);
      } else {
        compare_row<0>(columns, line, first_element);
      }
    }
  }

  [[nodiscard]] T largest(std::int64_t j) const { return best_[static_cast<std::size_t>(j)]; }
  /// Where it lies in the plane; -1 for a window on padding alone.
  [[nodiscard]] std::int64_t where(std::int64_t j) const {
    const Which which = winner_[static_cast<std::size_t>(j)];
    if (which < 0) return -1;
    const auto kernel_width = static_cast<Which>(at_.window.kernel.width);
    const std::int64_t row = first_row_ + at_.window.rows().offset(which / kernel_width);
    const std::int64_t column =
        j * at_.window.stride.width + at_.window.columns().offset(which % kernel_width);
    return row * at_.image.width + column;
  }

 private:
  // An element of the window, counted row by row. Of T's size, so that one mask serves both.
  using Which = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;

  /// Compares one row of the window's elements, of which `first_element` is the first, with a line of pixels.
  template <std::int64_t Stride>
  void compare_row(const WindowSide& columns, const T* line, std::int64_t first_element) {
    T* best = best_.data();
    Which* winner = winner_.data();
    const std::int64_t stride = columns.stride;
    for_each_stretch(
        columns, at_.image.width,
        at_.places.width, [&](const Stretch& stretch) __attribute__((always_inline)) {
          compare<Stride>(line + stretch.pixel, stride, stretch.n,
                          static_cast<Which>(first_element + stretch.element), best + stretch.place,
                          winner + stretch.place);
        });
  }

  template <std::int64_t Stride>
  static void compare(const T* __restrict line, std::int64_t any_stride, std::int64_t n, Which which,
                      T* __restrict best, Which* __restrict winner) {
    const std::int64_t stride = Stride == 0 ? any_stride : Stride;
    for (std::int64_t j = 0; j < n; ++j) {
      const T value = line[j * stride];
      const T so_far = best[j];
      // Larger, the first NaN, or the first element that is no padding.
      const bool wins = ((so_far == so_far) & !(value <= so_far)) | (winner[j] < 0);
      best[j] = wins ? value : so_far;
      winner[j] = wins ? which : winner[j];
    }
  }

  WindowedPlanes at_;
  Scratch<T> best_;
  Scratch<Which> winner_;
  std::int64_t first_row_ = 0;  // of the window, were there no padding
};

template <class T>
void max_pool_halves(const WindowedPlanes& at, const T* x, T* y) {
  if (is_even(at)) {
    for_each_piece<T>(at, [&](Halves<T>& halves, std::int64_t pair, std::int64_t pairs) {
      halves.max(x + pair * 2 * at.image.width, pairs, y + pair * at.places.width);
    });
    return;
  }
  for_each_plane(at, [&] {
    return [&, odd = OddHalves<T>(at)](std::int64_t plane) mutable {
      crop(at, x + plane * at.plane_size(), odd.x.data());
      odd.halves.max(odd.x.data(), at.places.height, y + plane * at.place_count());
    };
  });
}

template <class T>
void max_take_halves(const WindowedPlanes& at, const T* u, const T* x, T* y) {
  if (is_even(at)) {
    for_each_piece<T>(at, [&](Halves<T>& halves, std::int64_t pair, std::int64_t pairs) {
      const std::int64_t start = pair * 2 * at.image.width;
      halves.take(u + start, x + start, pairs, y + pair * at.places.width);
    });
    return;
  }
  for_each_plane(at, [&] {
    return [&, odd = OddHalves<T>(at)](std::int64_t plane) mutable {
      crop(at, x + plane * at.plane_size(), odd.x.data());
      crop(at, u + plane * at.plane_size(), odd.other.data());
      odd.halves.take(odd.other.data(), odd.x.data(), at.places.height, y + plane * at.place_count());
    };
  });
}

template <class T>
void max_put_halves(const WindowedPlanes& at, const T* g, const T* x, T* out) {
  if (is_even(at)) {
    for_each_piece<T>(at, [&](Halves<T>& halves, std::int64_t pair, std::int64_t pairs) {
      const std::int64_t start = pair * 2 * at.image.width;
      halves.put(g + pair * at.places.width, x + start, pairs, out + start);
    });
    return;
  }
  for_each_plane(at, [&] {
    return [&, odd = OddHalves<T>(at)](std::int64_t plane) mutable {
      crop(at, x + plane * at.plane_size(), odd.x.data());
      odd.halves.put(g + plane * at.place_count(), odd.x.data(), at.places.height, odd.other.data());
      uncrop(at, odd.other.data(), out + plane * at.plane_size());
    };
  });
}

/// Calls `body(row of windows, plane, i)` for all rows of windows of all planes.
template <class T, class F>
void for_each_row_of_windows(const WindowedPlanes& at, const T* x, const F& body) {
  for_each_plane(at, [&] {
    return [&, row = RowOfWindows<T>(at)](std::int64_t plane) mutable {
      for (std::int64_t i = 0; i < at.places.height; ++i) {
        row.find(x + plane * at.plane_size(), i);
        body(row, plane, i);
      }
    };
  });
}

template <class T>
void max_pool_typed(const WindowedPlanes& at, const T* x, T* y) {
  if (is_halving(at)) return max_pool_halves(at, x, y);
  for_each_row_of_windows(at, x, [&](const RowOfWindows<T>& row, std::int64_t plane, std::int64_t i) {
    T* to = y + plane * at.place_count() + i * at.places.width;
    for (std::int64_t j = 0; j < at.places.width; ++j) to[j] = row.largest(j);
  });
}

template <class T>
void max_take_typed(const WindowedPlanes& at, const T* u, const T* x, T* y) {
  if (is_halving(at)) return max_take_halves(at, u, x, y);
  for_each_row_of_windows(at, x, [&](const RowOfWindows<T>& row, std::int64_t plane, std::int64_t i) {
    const T* from = u + plane * at.plane_size();
    T* to = y + plane * at.place_count() + i * at.places.width;
    for (std::int64_t j = 0; j < at.places.width; ++j) {
      const std::int64_t where = row.where(j);
      to[j] = where < 0 ? T(0) : from[where];
    }
  });
}

template <class T>
void max_put_typed(const WindowedPlanes& at, const T* g, const T* x, T* out) {
  if (is_halving(at)) return max_put_halves(at, g, x, out);
  for_each_row_of_windows(at, x, [&](const RowOfWindows<T>& row, std::int64_t plane, std::int64_t i) {
    const T* from = g + plane * at.place_count() + i * at.places.width;
    T* to = out + plane * at.plane_size();
    if (i == 0) std::fill_n(to, at.plane_size(), T(0));
    for (std::int64_t j = 0; j < at.places.width; ++j) {
      const std::int64_t where = row.where(j);
      if (where >= 0) to[where] += from[j];
    }
  });
}

/// Elements of a window at one place that count, in one direction.
std::int64_t counted(const WindowSide& side, std::int64_t place, std::int64_t size, bool count_padding) {
  const std::int64_t margin = count_padding ? side.padding : 0;
  const std::int64_t first = place * side.stride - side.padding;
  const std::int64_t last = std::min(first + side.kernel, size + margin);
  return std::max<std::int64_t>(0, last - std::max(first, -margin));
}

/// The divisors of all windows, as products: elements that count in one direction times those in the other.
template <class T>
struct Divisors {
  Divisors(const WindowedPlanes& planes, const AvgDivisor& divisor)
      : at(planes), kind(divisor), columns(static_cast<std::size_t>(planes.places.width)) {
    const WindowSide side = at.window.columns();
    for (std::size_t j = 0; j < columns.size(); ++j) {
      columns[j] = static_cast<T>(
          kind.fixed != 0 ? kind.fixed
                          : counted(side, static_cast<std::int64_t>(j), at.image.width, kind.count_padding));
    }
  }
  /// The divisor at (i, j) is row(i) * columns[j].
  [[nodiscard]] T row(std::int64_t i) const {
    return static_cast<T>(
        kind.fixed != 0 ? 1 : counted(at.window.rows(), i, at.image.height, kind.count_padding));
  }

  WindowedPlanes at;
  AvgDivisor kind;
  Scratch<T> columns;
};

/// Sums in double: a window may be a whole image.
template <class T>
void avg_pool_typed(const WindowedPlanes& at, const AvgDivisor& divisor, const T* x, T* y) {
  const WindowSide rows = at.window.rows();
  const WindowSide columns = at.window.columns();
  const std::int64_t stride = columns.stride;
  const auto width = static_cast<std::size_t>(at.places.width);
  for_each_plane(at, [&] {
    return [&, sums = Scratch<double>(width),
            divisors = Divisors<double>(at, divisor)](std::int64_t plane) mutable {
      for (std::int64_t i = 0; i < at.places.height; ++i) {
        std::fill(sums.begin(), sums.end(), 0.0);
        const PlaceRange inside = elements_inside(rows, i, at.image.height);
        for (std::int64_t ki = inside.first; ki < inside.last; ++ki) {
          const std::int64_t row = i * rows.stride + rows.offset(ki);
          const T* line = x + plane * at.plane_size() + row * at.image.width;
          for_each_stretch(
              columns, at.image.width,
              at.places.width, [&](const Stretch& stretch) __attribute__((always_inline)) {
                const T* from = line + stretch.pixel;
                double* to = sums.data() + stretch.place;
                for (std::int64_t j = 0; j < stretch.n; ++j) to[j] += static_cast<double>(from[j * stride]);
              });
        }
        const double count = divisors.row(i);
        T* to = y + plane * at.place_count() + i * at.places.width;
        for (std::size_t j = 0; j < width; ++j)
          to[j] = static_cast<T>(sums[j] / (count * divisors.columns[j]));
      }
    };
  });
}

template <class T>
void avg_spread_typed(const WindowedPlanes& at, const AvgDivisor& divisor, const T* g, T* out) {
  const WindowSide rows = at.window.rows();
  const WindowSide columns = at.window.columns();
  const std::int64_t stride = columns.stride;
  const auto width = static_cast<std::size_t>(at.places.width);
  for_each_plane(at, [&] {
    return [&, shares = Scratch<T>(width), divisors = Divisors<T>(at, divisor)](std::int64_t plane) mutable {
      std::fill_n(out + plane * at.plane_size(), at.plane_size(), T(0));
      for (std::int64_t i = 0; i < at.places.height; ++i) {
        const T* from = g + plane * at.place_count() + i * at.places.width;
        const T count = divisors.row(i);
        for (std::size_t j = 0; j < width; ++j) shares[j] = from[j] / (count * divisors.columns[j]);
        const PlaceRange inside = elements_inside(rows, i, at.image.height);
        for (std::int64_t ki = inside.first; ki < inside.last; ++ki) {
          const std::int64_t row = i * rows.stride + rows.offset(ki);
          T* line = out + plane * at.plane_size() + row * at.image.width;
          for_each_stretch(
              columns, at.image.width,
              at.places.width, [&](const Stretch& stretch) __attribute__((always_inline)) {
                const T* share = shares.data() + stretch.place;
                T* to = line + stretch.pixel;
                for (std::int64_t j = 0; j < stretch.n; ++j) to[j * stride] += share[j];
              });
        }
      }
    };
  });
}

}  // namespace

void max_pool_planes(const WindowedPlanes& at, const Array& x, Array& y) {
  visit_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    max_pool_typed(at, x.data<T>(), y.mutable_data<T>());
  });
}

void max_take_planes(const WindowedPlanes& at, const Array& u, const Array& x, Array& y) {
  visit_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    max_take_typed(at, u.data<T>(), x.data<T>(), y.mutable_data<T>());
  });
}

void max_put_planes(const WindowedPlanes& at, const Array& g, const Array& x, Array& out) {
  visit_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    max_put_typed(at, g.data<T>(), x.data<T>(), out.mutable_data<T>());
  });
}

void avg_pool_planes(const WindowedPlanes& at, const AvgDivisor& divisor, const Array& x, Array& y) {
  visit_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    avg_pool_typed(at, divisor, x.data<T>(), y.mutable_data<T>());
  });
}

void avg_spread_planes(const WindowedPlanes& at, const AvgDivisor& divisor, const Array& g, Array& out) {
  visit_floating(g.dtype, [&](auto zero) {
    using T = decltype(zero);
    avg_spread_typed(at, divisor, g.data<T>(), out.mutable_data<T>());
  });
}

}  // namespace xtgrad::v1::detail
