#include "xtgrad/autograd/kernels/levels/sum.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <type_traits>
#include <utility>

#include "xtgrad/autograd/kernels/levels/lanes.h"
#include "xtgrad/autograd/kernels/levels/scratch.h"
#include "xtgrad/autograd/kernels/parallel.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {
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

template <LaneFloat T>
constexpr auto width = static_cast<std::int64_t>(Lane<T>::width);

/// What sum_block takes.
template <LaneFloat T>
constexpr std::int64_t block_elements = 64 * width<T>;

// Terms that are added one after the other to one register lose as many roundings of the first, so here they
// meet as trees: of n terms in a block none is rounded more than log2(n) + 2 times.

template <LaneFloat T>
Lane<T> two_lanes(const T* x) {
  return Lane<T>::load(x) + Lane<T>::load(x + width<T>);
}
template <LaneFloat T>
Lane<T> four_lanes(const T* x) {
  return two_lanes(x) + two_lanes(x + 2 * width<T>);
}
template <LaneFloat T>
Lane<T> eight_lanes(const T* x) {
  return four_lanes(x) + four_lanes(x + 4 * width<T>);
}

/// The last `count` of the n elements at x, of which there are a lane's width and more, and zeros.
template <LaneFloat T>
Lane<T> last_elements(const T* x, std::int64_t n, std::int64_t count) {
  static constexpr auto places = [] {
    std::array<T, Lane<T>::width> numbers{};
    for (std::size_t k = 0; k < numbers.size(); ++k) numbers[k] = static_cast<T>(k);
    return numbers;
  }();
  if (count == 0) return Lane<T>(T(0));
  return where(Lane<T>::load(places.data()) >= static_cast<T>(width<T> - count),
               Lane<T>::load(x + n - width<T>), 0);
}

/// The elements of a lane, added up in double.
template <LaneFloat T>
double wide_sum_of(Lane<T> x) {
  alignas(Buffer::alignment) std::array<T, Lane<T>::width> lanes;
  x.store(lanes.data());
  std::array<double, Lane<T>::width> wide;
  std::copy(lanes.begin(), lanes.end(), wide.begin());
  Lane<double> total = Lane<double>::load(wide.data());
  for (std::size_t k = Lane<double>::width; k < wide.size(); k += Lane<double>::width)
    total += Lane<double>::load(wide.data() + k);
  return sum_of(total);
}

/// Sum of up to `block_elements` neighbours.
template <LaneFloat T>
double sum_block(const T* x, std::int64_t n) {
  if (n < width<T>) {
    std::array<double, 2> sums{};
    std::int64_t i = 0;
    for (; i + 2 <= n; i += 2) {
      sums[0] += static_cast<double>(x[i]);
      sums[1] += static_cast<double>(x[i + 1]);
    }
    if (i < n) sums[0] += static_cast<double>(x[i]);
    return sums[0] + sums[1];
  }
  // What is no full tree comes first, and the smallest trees of it: the first terms are rounded most often.
  std::int64_t lanes = n / width<T>;
  Lane<T> even = last_elements(x, n, n % width<T>);
  Lane<T> odd(T(0));
  if (lanes % 2 != 0) {
    even += Lane<T>::load(x);
    x += width<T>;
  }
  if (lanes / 2 % 2 != 0) {
    even += two_lanes(x);
    x += 2 * width<T>;
  }
  if (lanes / 4 % 2 != 0) {
    even += four_lanes(x);
    x += 4 * width<T>;
  }
  if (lanes / 8 % 2 != 0) {
    odd += eight_lanes(x);
    x += 8 * width<T>;
  }
  for (lanes /= 16; lanes > 0; --lanes, x += 16 * width<T>) {
    even += eight_lanes(x);
    odd += eight_lanes(x + 8 * width<T>);
  }
  return wide_sum_of(even + odd);
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

/// Sums of columns that trees of some rows are added to; the first are put there.
template <class Sum>
class ColumnSums {
 public:
  ColumnSums(std::int64_t n, Sum* sums) : n_(n), sums_(sums) {}

  /// Adds tree(i) to column i.
  template <class Tree>
  void add(const Tree& tree) {
    Sum* const __restrict sums = sums_;
    if (std::exchange(empty_, false)) {
      for (std::int64_t i = 0; i < n_; ++i) sums[i] = Sum(0) + static_cast<Sum>(tree(i));  // 0 and not -0
    } else {
      for (std::int64_t i = 0; i < n_; ++i) sums[i] += static_cast<Sum>(tree(i));
    }
  }
  void finish() {
    if (empty_) std::fill_n(sums_, n_, Sum(0));
  }

 private:
  std::int64_t n_;
  Sum* sums_;
  bool empty_ = true;
};

/// The sum of N elements, `stride` apart, as a tree.
template <int N, class T>
[[gnu::always_inline]] inline T tree_of(const T* x, std::int64_t stride) {
  if constexpr (N == 1) {
    return *x;
  } else {
    return tree_of<N / 2>(x, stride) + tree_of<N / 2>(x + N / 2 * stride, stride);
  }
}

/// Adds trees of N rows while there are enough, at most one unless they are the largest; x goes on.
template <int N, int Largest, class T>
void add_trees(const T*& x, std::int64_t rows, std::int64_t stride, ColumnSums<Total<T>>& columns) {
  if constexpr (N < Largest) {
    if (rows / N % 2 != 0) {
      columns.add([=](std::int64_t i) { return tree_of<N>(x + i, stride); });
      x += N * stride;
    }
    add_trees<2 * N, Largest>(x, rows, stride, columns);
  } else {
    for (std::int64_t left = rows / N; left > 0; --left, x += N * stride)
      columns.add([=](std::int64_t i) { return tree_of<N>(x + i, stride); });
  }
}

/// sums[i] = the sum of column i of `rows` rows of n columns, `stride` elements apart. Many rows at a time,
/// as a tree in T, so that the totals are touched once for all of them; what is no full tree comes first. In
/// double, which has no wider type for the totals, by halves.
template <class T>
void sum_rows(const T* x, std::int64_t rows, std::int64_t stride, std::int64_t n, Total<T>* sums) {
  constexpr int tree = 8;
  constexpr std::int64_t few = 4 * tree;
  if (!std::is_same_v<T, double> || rows <= few) {
    ColumnSums<Total<T>> columns(n, sums);
    add_trees<1, tree>(x, rows, stride, columns);
    columns.finish();
    return;
  }
  const std::int64_t half = (rows / 2 + few - 1) / few * few;
  std::array<Total<T>, chunk_columns> rest;
  sum_rows(x, half, stride, n, sums);
  sum_rows(x + half * stride, rows - half, stride, n, rest.data());
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

/// As sum_rows for adjoining narrow rows: several of them are taken for one wide row, whose parts are added
/// at the end.
template <class T>
void sum_narrow_rows(const T* x, std::int64_t rows, std::int64_t n, Total<T>* __restrict sums) {
  const auto abreast =
      static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(2 * narrow_columns / n)));
  const std::int64_t wide_rows = rows / abreast;
  const std::int64_t wide_columns = abreast * n;
  std::array<Total<T>, 2 * narrow_columns> wide;
  sum_rows(x, wide_rows, wide_columns, wide_columns, wide.data());
  fold_rows(wide.data(), abreast, n);
  sum_rows(x + wide_rows * wide_columns, rows - wide_rows * abreast, n, n, sums);
  for (std::int64_t i = 0; i < n; ++i) sums[i] += wide[static_cast<std::size_t>(i)];
}

/// How [outer, axis, inner] is cut into units, each some rows of the axis by some columns of inner.
struct Cut {
  Cut(std::int64_t axis, std::int64_t inner)
      : columns(std::min(inner, chunk_columns)),
        rows(std::max<std::int64_t>(1, std::min(axis, most_rows(columns)))),
        column_units((inner + columns - 1) / columns),
        row_units(std::max<std::int64_t>(1, (axis + rows - 1) / rows)) {}

  /// A power of two: units, like what they are made of, are the leaves of full trees.
  static std::int64_t most_rows(std::int64_t columns) {
    return static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(unit_elements / columns)));
  }

  std::int64_t columns;       // of a unit, but for the last of a row
  std::int64_t rows;          // of a unit, but for the last of an axis
  std::int64_t column_units;  // units side by side
  std::int64_t row_units;     // units along the axis; where 1, a unit's sums are final
};

/// Rows of elements, and how far it is from one to the next.
template <class T>
struct Rows {
  const T* data;
  std::int64_t stride;
};

/// What is summed, elements of an array or computed ones.
template <class T>
class Terms {
 public:
  explicit Terms(const T* data) : data_(data) {}
  explicit Terms(const ComputedTerms& computed) : computed_(&computed) {}

  /// Scratch for `rows`, where it takes any.
  [[nodiscard]] Scratch<T> scratch(std::int64_t elements) const {
    constexpr std::int64_t spilled = Buffer::alignment / sizeof(T);
    return Scratch<T>(computed_ == nullptr ? 0 : elements + spilled);
  }
  /// `rows` rows of n elements, the first of which is number `first`, and the next ones `stride` further on
  /// each.
  Rows<T> rows(std::int64_t first, std::int64_t rows, std::int64_t stride, std::int64_t n,
               const Scratch<T>& scratch) const {
    if (computed_ == nullptr) return {data_ + first, stride};
    T* const to = scratch.data();
    if (stride == n) {
      computed_->fill(computed_->context, first, rows * n, to);
    } else {
      for (std::int64_t row = 0; row < rows; ++row)
        computed_->fill(computed_->context, first + row * stride, n, to + row * n);
    }
    return {to, n};
  }

 private:
  const T* data_ = nullptr;
  const ComputedTerms* computed_ = nullptr;
};

/// Sums every unit into its row of `out`, seen as [outer, row_units, inner].
template <class T, class Out>
void sum_units(const Terms<T>& in, std::int64_t outer, std::int64_t axis, std::int64_t inner, const Cut& cut,
               Out* out) {
  const std::int64_t units = outer * cut.row_units * cut.column_units;
  const std::int64_t units_per_tile = std::max<std::int64_t>(1, unit_elements / (cut.rows * cut.columns));
  for_each_tile((units + units_per_tile - 1) / units_per_tile, [&](std::int64_t tile) {
    const std::int64_t last = std::min(units, (tile + 1) * units_per_tile);
    const Scratch<T> scratch = in.scratch(cut.rows * cut.columns);
    for (std::int64_t unit = tile * units_per_tile; unit < last; ++unit) {
      const std::int64_t column = unit % cut.column_units * cut.columns;
      const std::int64_t block = unit / cut.column_units;  // in outer x row_units
      const std::int64_t row = block % cut.row_units * cut.rows;
      const std::int64_t rows = std::min(cut.rows, axis - row);
      const std::int64_t n = std::min(cut.columns, inner - column);
      const Rows<T> x =
          in.rows((block / cut.row_units * axis + row) * inner + column, rows, inner, n, scratch);
      Out* result = out + block * inner + column;
      if (inner == 1) {
        *result = static_cast<Out>(sum_neighbours(x.data, rows));
        continue;
      }
      std::array<Total<T>, chunk_columns> sums;
      if (inner <= narrow_columns) {
        sum_narrow_rows(x.data, rows, n, sums.data());
      } else {
        sum_rows(x.data, rows, x.stride, n, sums.data());
      }
      for (std::int64_t i = 0; i < n; ++i) result[i] = static_cast<Out>(sums[static_cast<std::size_t>(i)]);
    }
  });
}

/// Sums rows that are units of their own. Most of these are short, and sum_units would spend longer on
/// finding their places than on summing them.
template <class T>
void sum_short_rows(const Terms<T>& in, std::int64_t rows, std::int64_t n, T* out) {
  constexpr std::int64_t cached = 1 << 12;  // elements in the first-level cache
  const std::int64_t rows_per_tile = unit_elements / std::max<std::int64_t>(1, n);
  const std::int64_t abreast = std::max<std::int64_t>(1, cached / std::max<std::int64_t>(1, n));
  for_each_tile((rows + rows_per_tile - 1) / rows_per_tile, [&](std::int64_t tile) {
    const std::int64_t last = std::min(rows, (tile + 1) * rows_per_tile);
    const Scratch<T> scratch = in.scratch(abreast * n);
    for (std::int64_t first = tile * rows_per_tile; first < last; first += abreast) {
      const std::int64_t count = std::min(abreast, last - first);
      const Rows<T> x = in.rows(first * n, count, n, n, scratch);
      for (std::int64_t row = 0; row < count; ++row)
        out[first + row] = static_cast<T>(sum_neighbours(x.data + row * n, n));
    }
  });
}

template <class T>
void sum_typed(const Terms<T>& in, std::int64_t outer, std::int64_t axis, std::int64_t inner, T* out) {
  if (inner == 1 && axis <= unit_elements) {
    sum_short_rows(in, outer, axis, out);
    return;
  }
  const Cut cut(axis, inner);
  if (cut.row_units == 1) {
    sum_units(in, outer, axis, inner, cut, out);
    return;
  }
  const std::int64_t n = cut.row_units * inner;
  const Scratch<Total<T>> totals(outer * n);
  Total<T>* const partial = totals.data();
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
    sum_typed(Terms(in.data<std::uint64_t>()), outer, axis, inner, out.mutable_data<std::uint64_t>());
  } else {
    visit_floating(in.dtype, [&](auto zero) {
      using T = decltype(zero);
      sum_typed(Terms(in.data<T>()), outer, axis, inner, out.mutable_data<T>());
    });
  }
}

void sum_computed(const ComputedTerms& in, std::int64_t outer, std::int64_t axis, std::int64_t inner,
                  Array& out) {
  if (outer == 0 || inner == 0) return;
  visit_floating(in.dtype, [&](auto zero) {
    using T = decltype(zero);
    sum_typed(Terms<T>(in), outer, axis, inner, out.mutable_data<T>());
  });
}

void sum_last_axis(Dtype dtype, const void* in, std::int64_t rows, std::int64_t axis, void* out) {
  visit_floating(dtype, [&](auto zero) {
    using T = decltype(zero);
    if (axis == 1) {
      std::memcpy(out, in, static_cast<std::size_t>(rows) * sizeof(T));
    } else {
      sum_typed(Terms(static_cast<const T*>(in)), rows, axis, 1, static_cast<T*>(out));
    }
  });
}

}  // namespace xtgrad::v1::detail
