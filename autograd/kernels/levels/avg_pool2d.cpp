#include "xtgrad/autograd/kernels/levels/avg_pool2d.h"

#include <algorithm>
#include <type_traits>

#include "xtgrad/autograd/kernels/levels/plane_sums.h"
#include "xtgrad/autograd/kernels/levels/scratch.h"
#include "xtgrad/autograd/kernels/levels/window_walk.h"
#include "xtgrad/autograd/kernels/long_sum.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {
namespace {

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
  ScratchVector<T> columns;
};

/// A window may be a whole image, hence `Sum`.
template <class Sum, class T>
void avg_pool_typed(const WindowedPlanes& at, const AvgDivisor& divisor, const T* x, T* y) {
  const WindowSide rows = at.window.rows();
  const Stretches columns(at.window.columns(), at.image.width, at.places.width);
  const std::int64_t stride = at.window.stride.width;
  const auto width = static_cast<std::size_t>(at.places.width);
  for_each_plane(at, [&] {
    return [&, sums = ScratchVector<Sum>(width),
            divisors = Divisors<double>(at, divisor)](std::int64_t plane) mutable {
      for (std::int64_t i = 0; i < at.places.height; ++i) {
        std::fill(sums.begin(), sums.end(), Sum());
        const PlaceRange inside = elements_inside(rows, i, at.image.height);
        for (std::int64_t ki = inside.first; ki < inside.last; ++ki) {
          const std::int64_t row = i * rows.stride + rows.offset(ki);
          const T* line = x + plane * at.plane_size() + row * at.image.width;
          columns.for_each([&](const Stretch& stretch) __attribute__((always_inline)) {
            const T* from = line + stretch.pixel;
            Sum* to = sums.data() + stretch.place;
            for (std::int64_t j = 0; j < stretch.n; ++j) to[j].add(from[j * stride]);
          });
        }
        const double count = divisors.row(i);
        T* to = y + plane * at.place_count() + i * at.places.width;
        for (std::size_t j = 0; j < width; ++j)
          to[j] = static_cast<T>(sums[j].wide() / (count * divisors.columns[j]));
      }
    };
  });
}

template <class T>
void avg_spread_typed(const WindowedPlanes& at, const AvgDivisor& divisor, const T* g, T* out) {
  const WindowSide rows = at.window.rows();
  const Stretches columns(at.window.columns(), at.image.width, at.places.width);
  const std::int64_t stride = at.window.stride.width;
  const auto width = static_cast<std::size_t>(at.places.width);
  for_each_plane(at, [&] {
    return [&, shares = ScratchVector<T>(width), divisors = Divisors<T>(at, divisor),
            sums = PlaneSums<T>(at.plane_size(), few_windows_meet(at))](std::int64_t plane) mutable {
      sums.fill(out + plane * at.plane_size(), [&](auto* pixels) {
        for (std::int64_t i = 0; i < at.places.height; ++i) {
          const T* from = g + plane * at.place_count() + i * at.places.width;
          const T count = divisors.row(i);
          for (std::size_t j = 0; j < width; ++j) shares[j] = from[j] / (count * divisors.columns[j]);
          const PlaceRange inside = elements_inside(rows, i, at.image.height);
          for (std::int64_t ki = inside.first; ki < inside.last; ++ki) {
            auto* line = pixels + (i * rows.stride + rows.offset(ki)) * at.image.width;
            columns.for_each([&](const Stretch& stretch) __attribute__((always_inline)) {
              const T* share = shares.data() + stretch.place;
              auto* to = line + stretch.pixel;
              for (std::int64_t j = 0; j < stretch.n; ++j) add_to(to[j * stride], share[j]);
            });
          }
        }
      });
    };
  });
}

}  // namespace

void avg_pool_planes(const WindowedPlanes& at, const AvgDivisor& divisor, const Array& x, Array& y) {
  visit_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    // float is summed in double in any case.
    if constexpr (std::is_same_v<T, double>) {
      if (at.window.kernel.height <= few_terms / at.window.kernel.width)
        return avg_pool_typed<PlainSum>(at, divisor, x.data<T>(), y.mutable_data<T>());
    }
    avg_pool_typed<LongSum<T>>(at, divisor, x.data<T>(), y.mutable_data<T>());
  });
}

void avg_spread_planes(const WindowedPlanes& at, const AvgDivisor& divisor, const Array& g, Array& out) {
  visit_floating(g.dtype, [&](auto zero) {
    using T = decltype(zero);
    avg_spread_typed(at, divisor, g.data<T>(), out.mutable_data<T>());
  });
}

}  // namespace xtgrad::v1::detail
