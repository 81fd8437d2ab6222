#include "xtgrad/autograd/kernels/levels/unfold2d.h"

#include "xtgrad/autograd/kernels/levels/plane_sums.h"
#include "xtgrad/autograd/kernels/parallel.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {
namespace {

/// One element of the window, at all its places in one row.
struct ElementRow {
  std::int64_t column;  // of the first place, in the columns
  bool inside;          // false in the padding above and below
  std::int64_t pixel;   // of place `range.first`, in the image
  PlaceRange range;     // places at which it is no padding
};

/// Calls `body` with each element of the window, row by row of places, for one plane.
template <class F>
void for_each_element_row(const WindowedPlanes& at, const F& body) {
  const WindowSide rows = at.window.rows();
  const WindowSide columns = at.window.columns();
  std::int64_t column = 0;
  for (std::int64_t ki = 0; ki < rows.kernel; ++ki) {
    for (std::int64_t kj = 0; kj < columns.kernel; ++kj) {
      const PlaceRange range = places_inside(columns, kj, at.image.width, at.places.width);
      const std::int64_t first = range.first * columns.stride + columns.offset(kj);
      for (std::int64_t i = 0; i < at.places.height; ++i, column += at.places.width) {
        const std::int64_t row = i * rows.stride + rows.offset(ki);
        const bool inside = row >= 0 && row < at.image.height && range.first < range.last;
        body(ElementRow{column, inside, row * at.image.width + first, range});
      }
    }
  }
}

/// Elements of the columns that come from one plane.
std::int64_t columns_size(const WindowedPlanes& at) {
  return at.window.kernel.height * at.window.kernel.width * at.place_count();
}

template <class F>
void for_each_plane(const WindowedPlanes& at, const F& body) {
  if (at.planes == 0) return;  // without channels, int64 need not hold the elements of a plane's columns
  const std::int64_t per_tile = planes_per_tile(std::max(at.plane_size(), columns_size(at)));
  for_each_tile((at.planes + per_tile - 1) / per_tile, [&](std::int64_t tile) {
    const std::int64_t last = std::min(at.planes, (tile + 1) * per_tile);
    for (std::int64_t plane = tile * per_tile; plane < last; ++plane) body(plane);
  });
}

template <class T>
void unfold_typed(const WindowedPlanes& at, const T* x, T* columns) {
  const std::int64_t stride = at.window.stride.width;
  const std::int64_t width = at.places.width;
  for_each_plane(at, [&](std::int64_t plane) {
    const T* image = x + plane * at.plane_size();
    T* all = columns + plane * columns_size(at);
    for_each_element_row(at, [&](const ElementRow& row) {
      T* to = all + row.column;
      if (!row.inside) {
        std::fill_n(to, width, T(0));
        return;
      }
      const auto [first, last] = row.range;
      std::fill_n(to, first, T(0));
      const T* from = image + row.pixel;
      if (stride == 1) {
        std::copy_n(from, last - first, to + first);
      } else {
        for (std::int64_t j = first; j < last; ++j) to[j] = from[(j - first) * stride];
      }
      std::fill_n(to + last, width - last, T(0));
    });
  });
}

template <class T>
void fold_typed(const WindowedPlanes& at, const T* columns, T* image) {
  const std::int64_t stride = at.window.stride.width;
  const bool few = few_windows_meet(at);
  for_each_plane(at, [&](std::int64_t plane) {
    const T* all = columns + plane * columns_size(at);
    PlaneSums<T> sums(at.plane_size(), few);
    sums.fill(image + plane * at.plane_size(), [&](auto* pixels) {
      for_each_element_row(at, [&](const ElementRow& row) {
        if (!row.inside) return;
        const T* __restrict from = all + row.column + row.range.first;
        auto* __restrict to = pixels + row.pixel;
        const std::int64_t n = row.range.last - row.range.first;
        if (stride == 1) {
          for (std::int64_t j = 0; j < n; ++j) add_to(to[j], from[j]);
        } else {
          for (std::int64_t j = 0; j < n; ++j) add_to(to[j * stride], from[j]);
        }
      });
    });
  });
}

}  // namespace

void unfold_planes(const WindowedPlanes& at, const Array& x, Array& columns) {
  visit_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    unfold_typed(at, x.data<T>(), columns.mutable_data<T>());
  });
}

void fold_planes(const WindowedPlanes& at, const Array& columns, Array& image) {
  visit_floating(columns.dtype, [&](auto zero) {
    using T = decltype(zero);
    fold_typed(at, columns.data<T>(), image.mutable_data<T>());
  });
}

}  // namespace xtgrad::v1::detail
