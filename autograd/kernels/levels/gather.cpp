#include "xtgrad/autograd/kernels/levels/gather.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <type_traits>

#include "xtgrad/autograd/kernels/broadcast.h"
#include "xtgrad/autograd/kernels/copy_short.h"
#include "xtgrad/autograd/kernels/levels/busy_places.h"
#include "xtgrad/autograd/kernels/levels/index_walk.h"
#include "xtgrad/autograd/kernels/levels/scratch.h"
#include "xtgrad/autograd/kernels/long_sum.h"
#include "xtgrad/autograd/kernels/parallel.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {
namespace {

/// True if all n entries of a row of the index name one place, as lookups of whole rows do. By bits, without
/// an early exit: that much compilers turn into SIMD.
bool names_one_place(const std::int64_t* row, std::int64_t n) {
  std::int64_t differences = 0;
  for (std::int64_t j = 0; j < n; ++j) differences |= row[j] ^ row[0];
  return differences == 0;
}

/// A unit of one column, as every unit along the last dimension is.
template <class T>
void gather_column(const T* x, const std::int64_t* index, const IndexWalk& walk, T* out) {
  if (walk.index_stride == 1 && walk.x_stride == 1) {
    for (std::int64_t a = 0; a < walk.count; ++a) out[a] = x[index[a]];
    return;
  }
  for (std::int64_t a = 0; a < walk.count; ++a)
    out[a * walk.index_stride] = x[index[a * walk.index_stride] * walk.x_stride];
}

template <class T>
void gather_typed(const T* x, const std::int64_t* index, const IndexWalk& walk, T* out) {
  for_each_unit(walk, [&](std::int64_t x_offset, std::int64_t index_offset, std::int64_t columns) {
    if (columns == 1) return gather_column(x + x_offset, index + index_offset, walk, out + index_offset);
    for (std::int64_t a = 0; a < walk.count; ++a) {
      const std::int64_t row = index_offset + a * walk.index_stride;
      if (names_one_place(index + row, columns)) {
        copy_short(x + x_offset + index[row] * walk.x_stride, columns, out + row);
        continue;
      }
      for (std::int64_t j = 0; j < columns; ++j)
        out[row + j] = x[x_offset + index[row + j] * walk.x_stride + j];
    }
  });
}

/// A unit of scatter_add: `source` is added to `sum` at the places along the axis that `index` says.
template <class T>
struct ScatterUnit {
  T* sum;
  const std::int64_t* index;
  const T* source;
  std::int64_t count;         // rows of index and source
  std::int64_t columns;       // neighbours in each
  std::int64_t stride;        // from one row to the next
  std::int64_t index_stride;  // likewise; of an index that names whole rows it may be another
  std::int64_t size;          // places along the axis
  std::int64_t x_stride;      // from one place to the next

  void add_row(std::int64_t row) const {
    const std::int64_t at = row * stride;
    for (std::int64_t j = 0; j < columns; ++j) sum[index[at + j] * x_stride + j] += source[at + j];
  }
  /// Of an index whose rows name one place each.
  void add_whole_row(std::int64_t row) const {
    const T* from = source + row * stride;
    T* to = sum + index[row * index_stride] * x_stride;
    for (std::int64_t j = 0; j < columns; ++j) to[j] += from[j];
  }
  [[nodiscard]] ScatterUnit column(std::int64_t j) const {
    return {sum + j, index + j, source + j, count, 1, stride, index_stride, size, x_stride};
  }
};

template <class T>
void add_plainly(const ScatterUnit<T>& unit) {
  for (std::int64_t a = 0; a < unit.count; ++a) unit.add_row(a);
}

/// True if each row of the index names one place.
template <class T>
bool takes_rows(const ScatterUnit<T>& unit) {
  if (unit.columns == 1) return true;
  for (std::int64_t a = 0; a < unit.count; ++a) {
    if (!names_one_place(unit.index + a * unit.stride, unit.columns)) return false;
  }
  return true;
}

/// Long sums at a few places, or at all of an axis so short that they stay in cache. `number_of(place)` is
/// that of its sum, or -1.
template <class T, class F>
void add_long(const ScatterUnit<T>& unit, std::size_t places, const F& number_of, const auto& place_of) {
  ScratchVector<LongSum<T>> sums(places * static_cast<std::size_t>(unit.columns));
  const auto add_rows = [&, to_all = sums.data()](auto columns) {
    for (std::int64_t a = 0; a < unit.count; ++a) {
      const std::int64_t at = a * unit.stride;
      const std::int64_t number = number_of(unit.index[a * unit.index_stride]);
      if (number < 0) {
        unit.add_whole_row(a);
        continue;
      }
      LongSum<T>* to = to_all + number * columns;
      for (std::int64_t j = 0; j < columns; ++j) to[j].add(unit.source[at + j]);
    }
  };
  // Of one column as a constant: no loop over it.
  if (unit.columns == 1) {
    add_rows(std::integral_constant<std::int64_t, 1>{});
  } else {
    add_rows(unit.columns);
  }
  for (std::size_t k = 0; k < places; ++k) {
    T* to = unit.sum + place_of(k) * unit.x_stride;
    for (std::int64_t j = 0; j < unit.columns; ++j) {
      LongSum<T>& sum = sums[k * static_cast<std::size_t>(unit.columns) + static_cast<std::size_t>(j)];
      sum.add(to[j]);
      to[j] = sum.value();
    }
  }
}

/// For rows that name one place each.
template <class T>
void scatter_rows(const ScatterUnit<T>& unit) {
  constexpr std::int64_t cached = std::int64_t{16 << 10} / static_cast<std::int64_t>(sizeof(LongSum<T>));
  const auto same = [](auto place) { return static_cast<std::int64_t>(place); };
  if (unit.size * unit.columns <= cached && unit.count >= 4 * unit.size)
    return add_long(unit, static_cast<std::size_t>(unit.size), same, same);
  const BusyPlaces busy(unit.index, unit.count, unit.index_stride, unit.size);
  if (busy.places().empty()) {
    for (std::int64_t a = 0; a < unit.count; ++a) unit.add_whole_row(a);
    return;
  }
  add_long(
      unit, busy.places().size(), [&](std::int64_t place) { return std::int64_t{busy[place]}; },
      [&](std::size_t k) { return busy.places()[k]; });
}

/// True if an element of `sum` gets more than a few terms. Not asked of a unit that is small beside its axis.
template <class T>
bool has_busy_elements(const ScatterUnit<T>& unit) {
  if (unit.size > 4 * unit.count) return true;
  ScratchVector<std::uint8_t> terms(static_cast<std::size_t>(unit.size * unit.columns), std::uint8_t{0});
  std::uint8_t most = 0;
  for (std::int64_t a = 0; a < unit.count; ++a) {
    const std::int64_t* row = unit.index + a * unit.stride;
    for (std::int64_t j = 0; j < unit.columns; ++j) {
      std::uint8_t& of_place = terms[static_cast<std::size_t>(row[j] * unit.columns + j)];
      of_place = static_cast<std::uint8_t>(of_place + static_cast<int>(of_place <= few_terms));
      most = std::max(most, of_place);
    }
  }
  return most > few_terms;
}

template <class T>
[[gnu::noinline]] void scatter_many(const ScatterUnit<T>& unit) {
  if constexpr (std::is_floating_point_v<T>) {
    if (takes_rows(unit)) return scatter_rows(unit);
    if (!has_busy_elements(unit)) return add_plainly(unit);
    for (std::int64_t j = 0; j < unit.columns; ++j) scatter_rows(unit.column(j));
  }
}

template <class T>
void scatter_typed(T* sum, std::int64_t size, const std::int64_t* index, const IndexWalk& walk,
                   const T* source) {
  for_each_unit(walk, [&](std::int64_t x_offset, std::int64_t index_offset, std::int64_t columns) {
    const ScatterUnit<T> unit{.sum = sum + x_offset,
                              .index = index + index_offset,
                              .source = source + index_offset,
                              .count = walk.count,
                              .columns = columns,
                              .stride = walk.index_stride,
                              .index_stride = walk.index_stride,
                              .size = size,
                              .x_stride = walk.x_stride};
    if (!std::is_floating_point_v<T> || unit.count <= few_terms) {
      add_plainly(unit);
    } else {
      scatter_many(unit);
    }
  });
}

/// An array as [outer, along the axis, inner].
Shape around(const Shape& shape, std::size_t axis) {
  Shape three{1, shape[axis], 1};
  for (std::size_t d = 0; d < shape.rank(); ++d) {
    if (d != axis) three[d < axis ? 0 : 2] *= shape[d];
  }
  return three;
}

/// `rows`, of `inner` elements each, of out [outer, n, inner] from `first` on.
template <class T>
void select_rows(const T* x, const Shape& of_x, const std::int64_t* index, std::int64_t n, std::int64_t first,
                 std::int64_t last, T* out) {
  const std::int64_t size = of_x[1], inner = of_x[2];
  std::int64_t outer = first / n, a = first % n;
  if (inner == 1) {  // of single elements, a loop without calls
    while (first < last) {
      const std::int64_t end = std::min(last, first + n - a);
      const T* from = x + outer * size;
      for (const std::int64_t* place = index + a; first < end; ++first, ++place) out[first] = from[*place];
      a = 0;
      ++outer;
    }
    return;
  }
  for (std::int64_t row = first; row < last; ++row) {
    const T* from = x + (outer * size + index[a]) * inner;
    if (inner <= unit_columns) {
      copy_short(from, inner, out + row * inner);
    } else {
      std::copy_n(from, inner, out + row * inner);
    }
    if (++a < n) continue;
    a = 0;
    ++outer;
  }
}

template <class T>
void index_add_typed(T* sum, const Shape& of_sum, const std::int64_t* index, const Shape& of_source,
                     const T* source) {
  const IndexWalk walk = plan_walk(of_sum, 1, of_source);
  for_each_unit(walk, [&](std::int64_t x_offset, std::int64_t offset, std::int64_t columns) {
    const ScatterUnit<T> unit{.sum = sum + x_offset,
                              .index = index,
                              .source = source + offset,
                              .count = walk.count,
                              .columns = columns,
                              .stride = walk.index_stride,
                              .index_stride = 1,
                              .size = of_sum[1],
                              .x_stride = walk.x_stride};
    if constexpr (std::is_floating_point_v<T>) {
      if (unit.count > few_terms) return scatter_rows(unit);
    }
    for (std::int64_t a = 0; a < unit.count; ++a) unit.add_whole_row(a);
  });
}

/// Calls `body(to, from, columns)`, pointers into `sum` and `source`, for each row of each unit.
template <class T, class F>
void for_each_placed_row(Array& sum, std::size_t axis, const Array& places, const Array& source, F body) {
  const IndexWalk walk = plan_walk(sum.shape, axis, source.shape);
  const auto* place = places.data<std::int64_t>();
  const std::int64_t n = places.numel();
  T* const to = sum.mutable_data<T>();
  const T* const from = source.data<T>();
  for_each_unit(walk, [&](std::int64_t to_offset, std::int64_t from_offset, std::int64_t columns) {
    for (std::int64_t a = 0; a < n; ++a)
      body(to + to_offset + place[a] * walk.x_stride, from + from_offset + a * walk.index_stride, columns);
  });
}

}  // namespace

void gather_elements(const Array& x, std::size_t axis, const Array& index, Array& out) {
  if (index.numel() == 0) return;
  const IndexWalk walk = plan_walk(x.shape, axis, index.shape);
  visit(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    gather_typed(x.data<T>(), index.data<std::int64_t>(), walk, out.mutable_data<T>());
  });
}

void scatter_add_elements(Array& sum, std::size_t axis, const Array& index, const Array& source) {
  if (index.numel() == 0) return;
  const IndexWalk walk = plan_walk(sum.shape, axis, index.shape);
  const auto* places = index.data<std::int64_t>();
  if (sum.dtype == Dtype::int64) {  // as uint64, whose overflow is defined
    scatter_typed(sum.mutable_data<std::uint64_t>(), sum.shape[axis], places, walk,
                  source.data<std::uint64_t>());
    return;
  }
  visit_floating(sum.dtype, [&](auto zero) {
    using T = decltype(zero);
    scatter_typed(sum.mutable_data<T>(), sum.shape[axis], places, walk, source.data<T>());
  });
}

void select_elements(const Array& x, std::size_t axis, const Array& index, Array& out) {
  if (out.numel() == 0) return;
  const Shape of_x = around(x.shape, axis);
  const std::int64_t n = index.numel(), rows = of_x[0] * n;
  const std::int64_t per_tile = std::max<std::int64_t>(1, tile_elements / of_x[2]);
  visit(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each_tile((rows + per_tile - 1) / per_tile, [&](std::int64_t tile) {
      select_rows(x.data<T>(), of_x, index.data<std::int64_t>(), n, tile * per_tile,
                  std::min(rows, (tile + 1) * per_tile), out.mutable_data<T>());
    });
  });
}

void index_add_elements(Array& sum, std::size_t axis, const Array& index, const Array& source) {
  if (source.numel() == 0) return;
  const Shape of_sum = around(sum.shape, axis), of_source = around(source.shape, axis);
  const auto* places = index.data<std::int64_t>();
  if (sum.dtype == Dtype::int64) {  // as uint64, whose overflow is defined
    index_add_typed(sum.mutable_data<std::uint64_t>(), of_sum, places, of_source,
                    source.data<std::uint64_t>());
    return;
  }
  visit_floating(sum.dtype, [&](auto zero) {
    using T = decltype(zero);
    index_add_typed(sum.mutable_data<T>(), of_sum, places, of_source, source.data<T>());
  });
}

void add_at_places(Array& sum, std::size_t axis, const Array& places, const Array& source) {
  if (places.numel() == 0 || source.numel() == 0) return;
  visit_floating(sum.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each_placed_row<T>(sum, axis, places, source, [](T* to, const T* from, std::int64_t columns) {
      for (std::int64_t j = 0; j < columns; ++j) to[j] += from[j];
    });
  });
}

void put_at_places(Array& sum, std::size_t axis, const Array& places, const Array& source) {
  if (places.numel() == 0 || source.numel() == 0) return;
  visit_floating(sum.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each_placed_row<T>(sum, axis, places, source, [](T* to, const T* from, std::int64_t columns) {
      std::copy_n(from, columns, to);
    });
  });
}

}  // namespace xtgrad::v1::detail
