#include "xtgrad/autograd/kernels/segment.h"

#include <algorithm>
#include <limits>

#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/kernels/parallel.h"

namespace xtgrad::inline v1::detail {
namespace {

/// Columns that one unit of work takes: whole cache lines, which no other unit writes to.
constexpr std::int64_t unit_columns = 128;

struct Larger {
  static bool beats(auto a, auto b) { return a > b; }
  template <class T>
  static constexpr T none = std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity()
                                                                 : std::numeric_limits<T>::lowest();
};
struct Smaller {
  static bool beats(auto a, auto b) { return a < b; }
  template <class T>
  static constexpr T none = std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity()
                                                                 : std::numeric_limits<T>::max();
};

template <class Order, class T>
void best_of_segments(const T* x, const std::int64_t* ids, std::int64_t n, std::int64_t columns,
                      std::int64_t segments, T* out) {
  for_each_tile((columns + unit_columns - 1) / unit_columns, [&](std::int64_t tile) {
    const std::int64_t first = tile * unit_columns;
    const std::int64_t width = std::min(unit_columns, columns - first);
    for (std::int64_t s = 0; s < segments; ++s)
      std::fill_n(out + s * columns + first, width, Order::template none<T>);
    for (std::int64_t i = 0; i < n; ++i) {
      const T* const from = x + i * columns + first;
      T* const best = out + ids[i] * columns + first;
      for (std::int64_t j = 0; j < width; ++j) {
        const T v = from[j];
        best[j] = static_cast<int>(Order::beats(v, best[j])) | static_cast<int>(v != v) ? v : best[j];
      }
    }
  });
}

template <class Order>
void best_of_segments(const Array& x, const Array& ids, Array& out) {
  const std::int64_t n = ids.numel(), segments = out.shape[0];
  std::int64_t columns = 1;
  for (std::size_t d = 1; d < x.shape.rank(); ++d) columns *= x.shape[d];
  visit_numeric(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    best_of_segments<Order>(x.data<T>(), ids.data<std::int64_t>(), n, columns, segments,
                            out.mutable_data<T>());
  });
}

}  // namespace

void segment_largest(const Array& x, const Array& ids, Array& out) { best_of_segments<Larger>(x, ids, out); }

void segment_smallest(const Array& x, const Array& ids, Array& out) {
  best_of_segments<Smaller>(x, ids, out);
}

}  // namespace xtgrad::v1::detail
