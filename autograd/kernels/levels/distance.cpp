#include "xtgrad/autograd/kernels/levels/distance.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <type_traits>

#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/kernels/levels/pairwise_sums.h"
#include "xtgrad/autograd/kernels/levels/scratch.h"
#include "xtgrad/autograd/kernels/parallel.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {
namespace {

/// Coordinates that one unit of work reads.
constexpr std::int64_t unit_elements = 1 << 16;

/// Calls `body(batch, point)` for each point of a set, on several threads where there is much to do.
template <class F>
void for_each_point(std::int64_t batch, std::int64_t n, std::int64_t work, F&& body) {
  const std::int64_t per_tile = std::max<std::int64_t>(1, unit_elements / std::max<std::int64_t>(1, work));
  for_each_tile((batch * n + per_tile - 1) / per_tile, [&](std::int64_t tile) {
    const std::int64_t last = std::min(batch * n, (tile + 1) * per_tile);
    for (std::int64_t i = tile * per_tile; i < last; ++i) body(i / n, i % n);
  });
}

/// The sum of the squares of (a - b) * scale. Several sums, so that SIMD can be used.
template <class T>
double squares(const T* a, const T* b, std::int64_t d, double scale) {
  constexpr std::int64_t abreast = 16;
  double rest = 0;
  std::int64_t k = 0;
  if (d >= abreast) {
    std::array<double, abreast> sums{};
    for (; k + abreast <= d; k += abreast) {
      for (std::int64_t j = 0; j < abreast; ++j) {
        const double difference = (static_cast<double>(a[k + j]) - static_cast<double>(b[k + j])) * scale;
        sums[static_cast<std::size_t>(j)] += difference * difference;
      }
    }
    for (std::size_t half = abreast / 2; half > 0; half /= 2) {
      for (std::size_t j = 0; j < half; ++j) sums[j] += sums[j + half];
    }
    rest = sums[0];
  }
  for (; k < d; ++k) {
    const double difference = (static_cast<double>(a[k]) - static_cast<double>(b[k])) * scale;
    rest += difference * difference;
  }
  return rest;
}

template <class T>
double distance(const T* a, const T* b, std::int64_t d) {
  if constexpr (std::is_same_v<T, float>) {
    // Of long ones a few squares at a time are added in float, unless they are near the ends of its range.
    constexpr std::int64_t is_long = 64;
    if (d >= is_long) {
      const double sum = sums_of<1>(d, [=](std::int64_t k) {
        const float difference = a[k] - b[k];
        return std::array{difference * difference};
      })[0];
      if (sum > 0x1p-100 && sum < 0x1p100) [[likely]]
        return std::sqrt(sum);
    }
  }
  const double sum = squares(a, b, d, 1);
  if constexpr (std::is_same_v<T, double>) {
    // Squares have left the range, or lost digits below it. Halves first: a difference may leave it, too.
    if (!(sum < 0x1p1000) || (sum < 0x1p-900 && sum != 0)) [[unlikely]] {
      const double scale = sum < 1 ? 0x1p500 : 0x1p-520;
      return std::sqrt(squares(a, b, d, scale)) / scale;
    }
    if (sum == 0) {
      constexpr double scale = 0x1p560;
      const double scaled = squares(a, b, d, scale);
      return scaled == 0 ? 0 : std::sqrt(scaled) / scale;
    }
  }
  return std::sqrt(sum);
}

/// A way through g and the distances: from a point to the next, and from one of the others to the next.
struct Steps {
  std::int64_t own, other;
};

/// The gradient of `points` [batch, n, d], of which each has a distance from `others` [batch, m, d].
template <class T>
void grad_of_points(const T* g, const T* y, Steps steps, const T* points, const T* others, std::int64_t batch,
                    std::int64_t n, std::int64_t m, std::int64_t d, T* out) {
  for_each_point(batch, n, m * d, [=](std::int64_t set, std::int64_t i) {
    const Scratch<double> scratch(d);
    double* const sum = scratch.data();
    std::fill_n(sum, d, 0.0);
    const T* const point = points + (set * n + i) * d;
    const std::int64_t row = set * n * m + i * steps.own;
    for (std::int64_t j = 0; j < m; ++j) {
      const std::int64_t at = row + j * steps.other;
      const auto length = static_cast<double>(y[at]);
      if (length == 0) continue;
      const double share = static_cast<double>(g[at]) / length;
      const T* const other = others + (set * m + j) * d;
      for (std::int64_t k = 0; k < d; ++k)
        sum[k] += share * (static_cast<double>(point[k]) - static_cast<double>(other[k]));
    }
    T* const to = out + (set * n + i) * d;
    for (std::int64_t k = 0; k < d; ++k) to[k] = static_cast<T>(sum[k]);
  });
}

}  // namespace

void distances(const Array& a, const Array& b, const PointSets& sizes, Array& out) {
  visit_floating(a.dtype, [&](auto zero) {
    using T = decltype(zero);
    const T *const points = a.data<T>(), *const others = b.data<T>();
    T* const to = out.mutable_data<T>();
    const auto [batch, n, m, d] = sizes;
    for_each_point(batch, n, m * d, [=, n = n, m = m, d = d](std::int64_t set, std::int64_t i) {
      const T* const point = points + (set * n + i) * d;
      for (std::int64_t j = 0; j < m; ++j)
        to[(set * n + i) * m + j] = static_cast<T>(distance(point, others + (set * m + j) * d, d));
    });
  });
}

void distances_grad_a(const Array& g, const Array& a, const Array& b, const Array& y, const PointSets& sizes,
                      Array& da) {
  visit_floating(a.dtype, [&](auto zero) {
    using T = decltype(zero);
    grad_of_points(g.data<T>(), y.data<T>(), Steps{sizes.m, 1}, a.data<T>(), b.data<T>(), sizes.batch,
                   sizes.n, sizes.m, sizes.d, da.mutable_data<T>());
  });
}

void distances_grad_b(const Array& g, const Array& a, const Array& b, const Array& y, const PointSets& sizes,
                      Array& db) {
  visit_floating(a.dtype, [&](auto zero) {
    using T = decltype(zero);
    grad_of_points(g.data<T>(), y.data<T>(), Steps{1, sizes.m}, b.data<T>(), a.data<T>(), sizes.batch,
                   sizes.m, sizes.n, sizes.d, db.mutable_data<T>());
  });
}

}  // namespace xtgrad::v1::detail
