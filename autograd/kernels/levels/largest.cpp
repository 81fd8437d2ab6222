#include "xtgrad/autograd/kernels/levels/largest.h"

#include <algorithm>
#include <array>

#include "xtgrad/autograd/kernels/levels/place_of_best.h"
#include "xtgrad/autograd/kernels/levels/scratch.h"
#include "xtgrad/autograd/kernels/parallel.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {
namespace {

/// Elements that one unit of work reads.
constexpr std::int64_t unit_elements = 1 << 16;
/// Columns reduced side by side, so that their maxima stay in the first-level cache.
constexpr std::int64_t chunk_columns = 1024;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// The larger or smaller, and NaN if either is one; written without branches, so that loops over it become
/// SIMD.
template <class Order, class T>
T better(T a, T b) {
  return static_cast<int>(Order::beats(a, b)) | static_cast<int>(a != a) ? a : b;
}

/// By halves, of known sizes, which are SIMD, too: one after the other, lanes would take longer than a short
/// row.
template <class Order, std::size_t Half, class T>
T best_of_halves(T* lanes) {
  for (std::size_t k = 0; k < Half; ++k) lanes[k] = better<Order>(lanes[k + Half], lanes[k]);
  if constexpr (Half == 1) {
    return lanes[0];
  } else {
    return best_of_halves<Order, Half / 2>(lanes);
  }
}

template <class Order, class T>
T best_of_row(const T* x, std::int64_t n) {
  constexpr std::int64_t abreast = 256 / sizeof(T);
  T best = x[0];
  std::int64_t i = 0;
  if (n >= abreast) {
    std::array<T, abreast> lanes;
    std::copy_n(x, abreast, lanes.begin());
    for (i = abreast; i + abreast <= n; i += abreast) {
      for (std::size_t k = 0; k < abreast; ++k)
        lanes[k] = better<Order>(x[i + static_cast<std::int64_t>(k)], lanes[k]);
    }
    best = best_of_halves<Order, abreast / 2>(lanes.data());
  }
  for (; i < n; ++i) best = better<Order>(x[i], best);
  return best;
}

/// best[i] = the best of column i of `rows` rows of n columns, `stride` elements apart.
template <class Order, class T>
void best_of_columns(const T* x, std::int64_t rows, std::int64_t stride, std::int64_t n, T* __restrict best) {
  std::copy_n(x, n, best);
  for (std::int64_t r = 1; r < rows; ++r) {
    const T* row = x + r * stride;
    for (std::int64_t i = 0; i < n; ++i) best[i] = better<Order>(row[i], best[i]);
  }
}

/// How [outer, axis, inner] is cut into units of some rows of the axis by some columns of inner; from the
/// sizes alone, never from the number of threads.
struct Cut {
  Cut(std::int64_t outer, std::int64_t axis, std::int64_t inner)
      : columns(std::min(inner, chunk_columns)),
        rows(std::clamp<std::int64_t>(unit_elements / columns, 1, axis)),
        column_units(ceil_div(inner, columns)),
        row_units(ceil_div(axis, rows)),
        units(outer * row_units * column_units),
        units_per_tile(std::max<std::int64_t>(1, unit_elements / (rows * columns))) {}

  [[nodiscard]] std::int64_t tiles() const { return ceil_div(units, units_per_tile); }

  std::int64_t columns, rows;
  std::int64_t column_units, row_units;
  std::int64_t units, units_per_tile;
};

/// The best of every unit into its row of `out`, seen as [outer, row_units, inner].
template <class Order, class T>
void best_of_units(const T* in, std::int64_t axis, std::int64_t inner, const Cut& cut, T* out) {
  for_each_tile(cut.tiles(), [&](std::int64_t tile) {
    const std::int64_t last = std::min(cut.units, (tile + 1) * cut.units_per_tile);
    for (std::int64_t unit = tile * cut.units_per_tile; unit < last; ++unit) {
      const std::int64_t column = unit % cut.column_units * cut.columns;
      const std::int64_t block = unit / cut.column_units;  // in outer x row_units
      const std::int64_t row = block % cut.row_units * cut.rows;
      const std::int64_t rows = std::min(cut.rows, axis - row);
      const T* x = in + (block / cut.row_units * axis + row) * inner + column;
      T* result = out + block * inner + column;
      if (inner == 1) {
        *result = best_of_row<Order>(x, rows);
      } else {
        best_of_columns<Order>(x, rows, inner, std::min(cut.columns, inner - column), result);
      }
    }
  });
}

/// Rows that are units of their own. Most are short, and finding their places would take longer than they do.
template <class Order, class T>
void best_of_rows(const T* in, std::int64_t rows, std::int64_t n, T* out) {
  const std::int64_t per_tile = std::max<std::int64_t>(1, unit_elements / n);
  for_each_tile(ceil_div(rows, per_tile), [&](std::int64_t tile) {
    const std::int64_t last = std::min(rows, (tile + 1) * per_tile);
    for (std::int64_t row = tile * per_tile; row < last; ++row)
      out[row] = best_of_row<Order>(in + row * n, n);
  });
}

template <class Order, class T>
void best_typed(const T* in, std::int64_t outer, std::int64_t axis, std::int64_t inner, T* out) {
  if (inner == 1 && axis <= unit_elements) return best_of_rows<Order>(in, outer, axis, out);
  const Cut cut(outer, axis, inner);
  if (cut.row_units == 1) {
    best_of_units<Order>(in, axis, inner, cut, out);
    return;
  }
  const Scratch<T> partial(outer * cut.row_units * inner);
  T* const bests = partial.data();
  best_of_units<Order>(in, axis, inner, cut, bests);
  best_typed<Order>(bests, outer, cut.row_units, inner, out);
}

/// True where x is the best element: NaN is, if the best is NaN.
template <class T>
bool is_best(T x, T best) {
  return static_cast<int>(x == best) | (static_cast<int>(x != x) & static_cast<int>(best != best));
}

template <class T>
void find_first(const T* x, std::int64_t axis, std::int64_t inner, std::int64_t n, const T* best,
                std::int64_t* __restrict index) {
  if (inner == 1) {
    std::int64_t a = 0;
    while (!is_best(x[a], *best)) ++a;
    *index = a;
    return;
  }
  // From the last row to the first, so that the first one found is the one that stays.
  for (std::int64_t a = axis - 1; a >= 0; --a) {
    const T* row = x + a * inner;
    for (std::int64_t i = 0; i < n; ++i) index[i] = is_best(row[i], best[i]) ? a : index[i];
  }
}

/// Rows of n elements that lie one after the other, each in one walk.
template <class Order, class T>
void find_in_rows(const T* in, std::int64_t rows, std::int64_t n, T* best, std::int64_t* index) {
  const std::int64_t per_tile = std::max<std::int64_t>(1, unit_elements / n);
  for_each_tile(ceil_div(rows, per_tile), [&](std::int64_t tile) {
    const std::int64_t last = std::min(rows, (tile + 1) * per_tile);
    for (std::int64_t row = tile * per_tile; row < last; ++row) {
      index[row] = place_of_best<Order>(in + row * n, n);
      best[row] = in[row * n + index[row]];  // of zeros that tie, with the first one's sign
    }
  });
}

/// The best into `best`, and where the first of those that tie is into `index`.
template <class Order, class T>
void find_typed(const T* in, std::int64_t outer, std::int64_t axis, std::int64_t inner, T* best,
                std::int64_t* index) {
  // Longer ones are cut, so that threads may share one.
  if (inner == 1 && axis <= unit_elements) return find_in_rows<Order>(in, outer, axis, best, index);
  best_typed<Order>(in, outer, axis, inner, best);
  const std::int64_t columns = std::min(inner, chunk_columns);
  const std::int64_t per_row = ceil_div(inner, columns);
  const std::int64_t per_tile = std::max<std::int64_t>(1, unit_elements / (axis * columns));
  const std::int64_t units = outer * per_row;
  for_each_tile(ceil_div(units, per_tile), [&](std::int64_t tile) {
    const std::int64_t last = std::min(units, (tile + 1) * per_tile);
    for (std::int64_t unit = tile * per_tile; unit < last; ++unit) {
      const std::int64_t row = unit / per_row;
      const std::int64_t column = unit % per_row * columns;
      const std::int64_t n = std::min(columns, inner - column);
      T* found = best + row * inner + column;
      std::int64_t* places = index + row * inner + column;
      const T* block = in + row * axis * inner + column;
      find_first(block, axis, inner, n, found, places);
      // Of zeros that tie, it is the first one's sign.
      for (std::int64_t i = 0; i < n; ++i) found[i] = block[places[i] * inner + i];
    }
  });
}

template <class Order>
void find_axis(const Array& in, const AxisView& view, Array& best, Array& index) {
  if (view.outer == 0 || view.inner == 0) return;
  visit_numeric(in.dtype, [&](auto zero) {
    using T = decltype(zero);
    find_typed<Order>(in.data<T>(), view.outer, view.axis, view.inner, best.mutable_data<T>(),
                      index.mutable_data<std::int64_t>());
  });
}

template <class Order>
void best_axis(const Array& in, std::int64_t outer, std::int64_t axis, std::int64_t inner, Array& out) {
  if (outer == 0 || inner == 0) return;
  visit_numeric(in.dtype, [&](auto zero) {
    using T = decltype(zero);
    best_typed<Order>(in.data<T>(), outer, axis, inner, out.mutable_data<T>());
  });
}

template <class Order>
void best_last_axis(Dtype dtype, const void* in, std::int64_t rows, std::int64_t axis, void* out) {
  visit_floating(dtype, [&](auto zero) {
    using T = decltype(zero);
    best_typed<Order>(static_cast<const T*>(in), rows, axis, 1, static_cast<T*>(out));
  });
}

}  // namespace

void max_axis(const Array& in, std::int64_t outer, std::int64_t axis, std::int64_t inner, Array& out) {
  best_axis<Largest>(in, outer, axis, inner, out);
}

void min_axis(const Array& in, std::int64_t outer, std::int64_t axis, std::int64_t inner, Array& out) {
  best_axis<Smallest>(in, outer, axis, inner, out);
}

void max_last_axis(Dtype dtype, const void* in, std::int64_t rows, std::int64_t axis, void* out) {
  best_last_axis<Largest>(dtype, in, rows, axis, out);
}

void min_last_axis(Dtype dtype, const void* in, std::int64_t rows, std::int64_t axis, void* out) {
  best_last_axis<Smallest>(dtype, in, rows, axis, out);
}

void find_largest(const Array& in, const AxisView& view, Array& largest, Array& index) {
  find_axis<Largest>(in, view, largest, index);
}

void find_smallest(const Array& in, const AxisView& view, Array& smallest, Array& index) {
  find_axis<Smallest>(in, view, smallest, index);
}

}  // namespace xtgrad::v1::detail
