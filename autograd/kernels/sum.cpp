#include "xtgrad/autograd/kernels/sum.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <type_traits>

#include "xtgrad/autograd/kernels/lanes.h"
#include "xtgrad/autograd/kernels/parallel.h"

namespace xtgrad::inline v1::detail {
namespace {

/// Elements of one unit of work. Larger than an elementwise tile: each unit of a split axis costs a row of
/// partial sums.
constexpr std::int64_t unit_elements = 1 << 17;
/// Columns summed side by side; their sums, in double, stay in the first-level cache.
constexpr std::int64_t chunk_columns = 1024;
/// Rows narrower than this are summed several abreast, or a loop over one would be all overhead.
constexpr std::int64_t narrow_columns = 32;

/// The type that totals are kept in. int64 goes through here as uint64, whose overflow is defined.
template <class T>
using Total = std::conditional_t<std::is_floating_point_v<T>, double, T>;

/// Sum of up to `block_elements` neighbours: four lanes of T, each of which sees at most 16 terms.
template <LaneFloat T>
constexpr std::int64_t block_elements = 64 * static_cast<std::int64_t>(Lane<T>::width);

template <LaneFloat T>
double sum_block(const T* x, std::int64_t n) {
  constexpr auto width = static_cast<std::int64_t>(Lane<T>::width);
  double total = 0;
  std::int64_t i = 0;
  if (n >= width) {
    std::array<Lane<T>, 4> sums;
    sums.fill(Lane<T>(T(0)));
    for (; i + 4 * width <= n; i += 4 * width) {
      for (std::size_t k = 0; k < 4; ++k)
        sums[k] += Lane<T>::load(x + i + static_cast<std::int64_t>(k) * width);
    }
    for (std::size_t k = 0; i + width <= n; i += width, ++k) sums[k] += Lane<T>::load(x + i);
    alignas(Buffer::alignment) std::array<T, Lane<T>::width> lanes;
    ((sums[0] + sums[1]) + (sums[2] + sums[3])).store(lanes.data());
    std::array<double, Lane<T>::width> wide;
    std::copy(lanes.begin(), lanes.end(), wide.begin());
    for (std::size_t half = Lane<T>::width / 2; half > 0; half /= 2) {
      for (std::size_t k = 0; k < half; ++k) wide[k] += wide[k + half];
    }
    total = wide[0];
  }
  for (; i < n; ++i) total += static_cast<double>(x[i]);
  return total;
}

template <LaneFloat T>
double sum_neighbours(const T* x, std::int64_t n) {
  constexpr std::int64_t block = block_elements<T>;
  if (n <= block) return sum_block(x, n);
  const std::int64_t half = (n / 2 + block - 1) / block * block;
  return sum_neighbours(x, half) + sum_neighbours(x + half, n - half);
}

std::uint64_t sum_neighbours(const std::uint64_t* x, std::int64_t n) {
  std::uint64_t total = 0;
  for (std::int64_t i = 0; i < n; ++i) total += x[i];
  return total;
}

/// sums[i] += the sum of column i of `rows` rows of n columns, `stride` elements apart. Eight rows at a time,
/// as a tree in T, so that the wider totals are touched once for eight.
template <class T>
void add_few_rows(const T* x, std::int64_t rows, std::int64_t stride, std::int64_t n,
                  Total<T>* __restrict sums) {
  std::int64_t r = 0;
  for (; r + 8 <= rows; r += 8) {
    const T* row = x + r * stride;
    for (std::int64_t i = 0; i < n; ++i) {
      const T low = (row[i] + row[i + stride]) + (row[i + 2 * stride] + row[i + 3 * stride]);
      const T high =
          (row[i + 4 * stride] + row[i + 5 * stride]) + (row[i + 6 * stride] + row[i + 7 * stride]);
      sums[i] += static_cast<Total<T>>(low + high);
    }
  }
  for (; r < rows; ++r) {
    for (std::int64_t i = 0; i < n; ++i) sums[i] += static_cast<Total<T>>(x[r * stride + i]);
  }
}

/// The same for any number of rows. In double, which has no wider type for the totals, by halves.
template <class T>
void add_rows(const T* x, std::int64_t rows, std::int64_t stride, std::int64_t n, Total<T>* __restrict sums) {
  constexpr std::int64_t few = 128;
  if (!std::is_same_v<T, double> || rows <= few) return add_few_rows(x, rows, stride, n, sums);
  const std::int64_t half = (rows / 2 + few - 1) / few * few;
  std::array<Total<T>, chunk_columns> rest;
  std::fill_n(rest.begin(), n, Total<T>(0));
  add_rows(x, half, stride, n, sums);
  add_rows(x + half * stride, rows - half, stride, n, rest.data());
  for (std::int64_t i = 0; i < n; ++i) sums[i] += rest[static_cast<std::size_t>(i)];
}

/// Adds `rows` adjoining rows pairwise; the result is in the first.
template <class T>
void fold_rows(T* x, std::int64_t rows, std::int64_t n) {
  for (std::int64_t gap = 1; gap < rows; gap *= 2) {
    for (std::int64_t row = 0; row + gap < rows; row += 2 * gap) {
      for (std::int64_t i = 0; i < n; ++i) x[row * n + i] += x[(row + gap) * n + i];
    }
  }
}

/// As add_rows for adjoining narrow rows: several of them are taken for one wide row, whose parts are added
/// at the end.
template <class T>
void add_narrow_rows(const T* x, std::int64_t rows, std::int64_t n, Total<T>* __restrict sums) {
  const std::int64_t abreast = 2 * narrow_columns / n;
  const std::int64_t wide_rows = rows / abreast;
  const std::int64_t width = abreast * n;
  std::array<Total<T>, 2 * narrow_columns> wide{};
  add_rows(x, wide_rows, width, width, wide.data());
  fold_rows(wide.data(), abreast, n);
  for (std::int64_t i = 0; i < n; ++i) sums[i] += wide[static_cast<std::size_t>(i)];
  add_rows(x + wide_rows * width, rows - wide_rows * abreast, n, n, sums);
}

/// How [outer, axis, inner] is cut into units, each some rows of the axis by some columns of inner.
struct Cut {
  Cut(std::int64_t axis, std::int64_t inner)
      : columns(std::min(inner, chunk_columns)),
        rows(std::max<std::int64_t>(1, std::min(axis, unit_elements / columns))),
        column_units((inner + columns - 1) / columns),
        row_units(std::max<std::int64_t>(1, (axis + rows - 1) / rows)) {}

  std::int64_t columns;       // of a unit, but for the last of a row
  std::int64_t rows;          // of a unit, but for the last of an axis
  std::int64_t column_units;  // units side by side
  std::int64_t row_units;     // units along the axis; where 1, a unit's sums are final
};

/// Sums every unit into its row of `out`, seen as [outer, row_units, inner].
template <class T, class Out>
void sum_units(const T* in, std::int64_t outer, std::int64_t axis, std::int64_t inner, const Cut& cut,
               Out* out) {
  const std::int64_t units = outer * cut.row_units * cut.column_units;
  const std::int64_t units_per_tile = std::max<std::int64_t>(1, unit_elements / (cut.rows * cut.columns));
  for_each_tile((units + units_per_tile - 1) / units_per_tile, [&](std::int64_t tile) {
    const std::int64_t last = std::min(units, (tile + 1) * units_per_tile);
    for (std::int64_t unit = tile * units_per_tile; unit < last; ++unit) {
      const std::int64_t column = unit % cut.column_units * cut.columns;
      const std::int64_t block = unit / cut.column_units;  // in outer x row_units
      const std::int64_t row = block % cut.row_units * cut.rows;
      const std::int64_t rows = std::min(cut.rows, axis - row);
      const std::int64_t n = std::min(cut.columns, inner - column);
      const T* x = in + (block / cut.row_units * axis + row) * inner + column;
      Out* result = out + block * inner + column;
      if (inner == 1) {
        *result = static_cast<Out>(sum_neighbours(x, rows));
        continue;
      }
      std::array<Total<T>, chunk_columns> sums;
      std::fill_n(sums.begin(), n, Total<T>(0));
      if (inner <= narrow_columns) {
        add_narrow_rows(x, rows, n, sums.data());
      } else {
        add_rows(x, rows, inner, n, sums.data());
      }
      for (std::int64_t i = 0; i < n; ++i) result[i] = static_cast<Out>(sums[static_cast<std::size_t>(i)]);
    }
  });
}

/// Sums rows that are units of their own. Most of these are short, and sum_units would spend longer on
/// finding their places than on summing them.
template <class T>
void sum_short_rows(const T* in, std::int64_t rows, std::int64_t n, T* out) {
  const std::int64_t rows_per_tile = unit_elements / std::max<std::int64_t>(1, n);
  for_each_tile((rows + rows_per_tile - 1) / rows_per_tile, [&](std::int64_t tile) {
    const std::int64_t last = std::min(rows, (tile + 1) * rows_per_tile);
    for (std::int64_t row = tile * rows_per_tile; row < last; ++row) {
      out[row] = static_cast<T>(sum_neighbours(in + row * n, n));
    }
  });
}

template <class T>
void sum_typed(const T* in, std::int64_t outer, std::int64_t axis, std::int64_t inner, T* out) {
  if (inner == 1 && axis <= unit_elements) {
    sum_short_rows(in, outer, axis, out);
    return;
  }
  const Cut cut(axis, inner);
  if (cut.row_units == 1) {
    sum_units(in, outer, axis, inner, cut, out);
    return;
  }
  // A buffer of the pool, which is recycled, where a vector would go to the system.
  const std::int64_t n = cut.row_units * inner;
  const BufferRef scratch = BufferRef::allocate(static_cast<std::size_t>(outer * n) * sizeof(Total<T>));
  auto* partial = static_cast<Total<T>*>(scratch.data());
  sum_units(in, outer, axis, inner, cut, partial);
  for (std::int64_t o = 0; o < outer; ++o) {
    fold_rows(partial + o * n, cut.row_units, inner);
    for (std::int64_t i = 0; i < inner; ++i) out[o * inner + i] = static_cast<T>(partial[o * n + i]);
  }
}

}  // namespace

void sum_axis(const Array& in, std::int64_t outer, std::int64_t axis, std::int64_t inner, Array& out) {
  if (outer == 0 || inner == 0) return;
  if (axis == 1) {
    std::memcpy(out.buffer.data(), in.buffer.data(), in.buffer.bytes());
  } else if (in.dtype == Dtype::int64) {
    sum_typed(in.data<std::uint64_t>(), outer, axis, inner, out.mutable_data<std::uint64_t>());
  } else {
    visit_floating(in.dtype, [&](auto zero) {
      using T = decltype(zero);
      sum_typed(in.data<T>(), outer, axis, inner, out.mutable_data<T>());
    });
  }
}

}  // namespace xtgrad::v1::detail
