#include "xtgrad/autograd/kernels/levels/copy_strided.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "xtgrad/autograd/kernels/broadcast.h"
#include "xtgrad/autograd/kernels/parallel.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {
namespace {

/// Drops dimensions of size 1 and merges neighbours that both sides walk as one. Returns false if there is
/// nothing to move.
bool simplify(StridedMove& move) {
  StridedMove merged;
  merged.from_offset = move.from_offset;
  merged.to_offset = move.to_offset;
  for (std::size_t d = 0; d < move.rank; ++d) {
    const std::int64_t size = move.sizes[d];
    if (size == 0) return false;
    if (size == 1) continue;
    if (merged.rank > 0) {
      const std::size_t last = merged.rank - 1;
      if (merged.from_strides[last] == move.from_strides[d] * size &&
          merged.to_strides[last] == move.to_strides[d] * size) {
        merged.sizes[last] *= size;
        merged.from_strides[last] = move.from_strides[d];
        merged.to_strides[last] = move.to_strides[d];
        continue;
      }
    }
    merged.add_dimension(size, move.from_strides[d], move.to_strides[d]);
  }
  move = merged;
  return true;
}

/// True if the move is a transpose, written in the order of its last dimension and read in that of another;
/// that other one then becomes the last but one.
bool arrange_transpose(StridedMove& move) {
  const std::size_t last = move.rank - 1;
  if (move.to_strides[last] != 1 || move.from_strides[last] <= 1) return false;
  for (std::size_t d = 0; d < last; ++d) {
    if (move.from_strides[d] != 1) continue;
    std::swap(move.sizes[d], move.sizes[last - 1]);
    std::swap(move.from_strides[d], move.from_strides[last - 1]);
    std::swap(move.to_strides[d], move.to_strides[last - 1]);
    return true;
  }
  return false;
}

/// The first `rank` dimensions, as rows whose offsets are {from, to}.
BroadcastPlan<2> leading_dimensions(const StridedMove& move, std::size_t rank) {
  BroadcastPlan<2> plan;
  plan.rank = rank;
  for (std::size_t d = 0; d < rank; ++d) {
    plan.sizes[d] = move.sizes[d];
    plan.strides[0][d] = move.from_strides[d];
    plan.strides[1][d] = move.to_strides[d];
    plan.rows *= move.sizes[d];
  }
  return plan;
}

template <class T>
void add_row(const T* __restrict from, std::int64_t from_stride, T* __restrict to, std::int64_t to_stride,
             std::int64_t n) {
  if (to_stride == 1 && from_stride == 1) {
    for (std::int64_t i = 0; i < n; ++i) to[i] += from[i];
  } else {
    for (std::int64_t i = 0; i < n; ++i) to[i * to_stride] += from[i * from_stride];
  }
}

template <class T>
void move_row(const T* __restrict from, std::int64_t from_stride, T* __restrict to, std::int64_t to_stride,
              std::int64_t n) {
  if (to_stride == 1 && from_stride == 1) {
    std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof(T));
  } else if (to_stride == 1 && from_stride == 0) {
    std::fill_n(to, n, *from);
  } else if (to_stride == 1 && from_stride == -1) {  // as a constant: lanes are turned round whole
    for (std::int64_t i = 0; i < n; ++i) to[i] = from[-i];
  } else if (to_stride == 1) {
    for (std::int64_t i = 0; i < n; ++i) to[i] = from[i * from_stride];
  } else {
    for (std::int64_t i = 0; i < n; ++i) to[i * to_stride] = from[i * from_stride];
  }
}

/// Each of n elements `count` times in a row; `Count` is that as a constant, or 0.
template <std::int64_t Count, class T>
void repeat_each(const T* __restrict from, std::int64_t n, std::int64_t count, T* __restrict to) {
  if constexpr (Count > 0) count = Count;
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t k = 0; k < count; ++k) to[i * count + k] = from[i];
  }
}

/// True if the last dimension repeats neighbouring elements a few times each: rows so short would be all
/// overhead.
bool repeats_elements(const StridedMove& move) {
  if (move.rank < 2) return false;
  const std::size_t last = move.rank - 1;
  return move.from_strides[last] == 0 && move.to_strides[last] == 1 && move.sizes[last] <= 16 &&
         move.from_strides[last - 1] == 1 && move.to_strides[last - 1] == move.sizes[last];
}

/// Calls `row(from, from_stride, to, to_stride, n)` for every run along the last dimension.
template <class T, class Row>
void walk_rows(const StridedMove& move, const T* from, T* to, Row row) {
  const std::size_t outer = move.rank - 1;
  const std::int64_t n = move.sizes[outer];
  const std::int64_t from_stride = move.from_strides[outer];
  const std::int64_t to_stride = move.to_strides[outer];
  const BroadcastPlan<2> plan = leading_dimensions(move, outer);
  const std::int64_t rows = plan.rows;
  if (rows == 1) {  // a single long row is cut across
    for_each_tile((n + tile_elements - 1) / tile_elements, [&](std::int64_t tile) {
      const std::int64_t first = tile * tile_elements;
      row(from + first * from_stride, from_stride, to + first * to_stride, to_stride,
          std::min(tile_elements, n - first));
    });
    return;
  }
  const std::int64_t rows_per_tile = std::max<std::int64_t>(1, tile_elements / n);
  for_each_tile((rows + rows_per_tile - 1) / rows_per_tile, [&](std::int64_t tile) {
    const std::int64_t last = std::min(rows, (tile + 1) * rows_per_tile);
    for_each_row(plan, tile * rows_per_tile, last,
                 [&](std::int64_t, const std::array<std::int64_t, 2>& offsets) {
                   row(from + offsets[0], from_stride, to + offsets[1], to_stride, n);
                 });
  });
}

/// Edge of the squares that a transpose moves through registers.
constexpr std::int64_t edge = 8;

/// to[i][j] = from[j][i] for one square. Three rounds, each of which zips row i with row i + 4: the perfect
/// shuffle of the 64 positions, which three times over swaps row and column.
template <class T>
void transpose_square(const T* from, std::int64_t from_stride, T* to, std::int64_t to_stride) {
  if constexpr (sizeof(T) == 1) {
    for (std::int64_t i = 0; i < edge; ++i) {
      for (std::int64_t j = 0; j < edge; ++j) to[i * to_stride + j] = from[j * from_stride + i];
    }
  } else {
    using Vector [[gnu::vector_size(edge * sizeof(T))]] = T;
    Vector rows[edge];
    Vector zipped[edge];
    for (std::int64_t j = 0; j < edge; ++j) std::memcpy(&rows[j], from + j * from_stride, sizeof(Vector));
    for (int round = 0; round < 3; ++round) {
      for (std::size_t k = 0; k < edge / 2; ++k) {
        zipped[2 * k] = __builtin_shufflevector(rows[k], rows[k + 4], 0, 8, 1, 9, 2, 10, 3, 11);
        zipped[2 * k + 1] = __builtin_shufflevector(rows[k], rows[k + 4], 4, 12, 5, 13, 6, 14, 7, 15);
      }
      std::swap(rows, zipped);
    }
    for (std::int64_t i = 0; i < edge; ++i) std::memcpy(to + i * to_stride, &rows[i], sizeof(Vector));
  }
}

/// to[i][j] = from[j][i] for i < rows, j < columns.
template <class T>
void transpose_band(const T* from, std::int64_t from_stride, T* to, std::int64_t to_stride, std::int64_t rows,
                    std::int64_t columns) {
  const std::int64_t whole_rows = rows / edge * edge;
  const std::int64_t whole_columns = columns / edge * edge;
  for (std::int64_t j = 0; j < whole_columns; j += edge) {
    for (std::int64_t i = 0; i < whole_rows; i += edge) {
      transpose_square(from + j * from_stride + i, from_stride, to + i * to_stride + j, to_stride);
    }
  }
  const auto move_rest = [&](std::int64_t first_row, std::int64_t last_row, std::int64_t first_column) {
    for (std::int64_t i = first_row; i < last_row; ++i) {
      for (std::int64_t j = first_column; j < columns; ++j) to[i * to_stride + j] = from[j * from_stride + i];
    }
  };
  move_rest(0, whole_rows, whole_columns);
  move_rest(whole_rows, rows, 0);
}

template <class T>
void move_repeated(StridedMove move, const T* from, T* to) {
  --move.rank;  // a row is now one of the elements that are repeated, and their distance the count
  walk_rows(move, from, to, [](const T* row, std::int64_t, T* repeated, std::int64_t count, std::int64_t n) {
    switch (count) {
      case 2:
        return repeat_each<2>(row, n, count, repeated);
      case 3:
        return repeat_each<3>(row, n, count, repeated);
      case 4:
        return repeat_each<4>(row, n, count, repeated);
      case 8:
        return repeat_each<8>(row, n, count, repeated);
      default:
        return repeat_each<0>(row, n, count, repeated);
    }
  });
}

template <class T>
void move_transposed(const StridedMove& move, const T* from, T* to) {
  const std::size_t outer = move.rank - 2;
  const std::int64_t rows = move.sizes[outer];         // neighbours in `from`
  const std::int64_t columns = move.sizes[outer + 1];  // neighbours in `to`
  const std::int64_t from_stride = move.from_strides[outer + 1];
  const std::int64_t to_stride = move.to_strides[outer];
  // A band's rows of `from` are whole cache lines, and its rows of `to` few enough to stay in the cache.
  constexpr std::int64_t band_rows = 64;
  const std::int64_t bands = (rows + band_rows - 1) / band_rows;
  BroadcastPlan<2> plan = leading_dimensions(move, outer);
  plan.sizes[outer] = bands;
  plan.strides[0][outer] = band_rows;
  plan.strides[1][outer] = band_rows * to_stride;
  ++plan.rank;
  const std::int64_t units = plan.rows * bands;
  const std::int64_t units_per_tile =
      std::max<std::int64_t>(1, tile_elements / (std::min(rows, band_rows) * columns));
  for_each_tile((units + units_per_tile - 1) / units_per_tile, [&](std::int64_t tile) {
    const std::int64_t last = std::min(units, (tile + 1) * units_per_tile);
    for_each_row(plan, tile * units_per_tile, last,
                 [&](std::int64_t unit, const std::array<std::int64_t, 2>& offsets) {
                   const std::int64_t first_row = unit % bands * band_rows;
                   transpose_band(from + offsets[0], from_stride, to + offsets[1], to_stride,
                                  std::min(band_rows, rows - first_row), columns);
                 });
  });
}

}  // namespace

void copy_strided(const StridedMove& move, const Array& from, Array& to) {
  StridedMove simple = move;
  if (!simplify(simple)) return;
  if (simple.rank == 0) simple.add_dimension(1, 1, 1);
  const bool transpose = arrange_transpose(simple);
  visit(from.dtype, [&](auto zero) {
    using T = decltype(zero);
    const T* source = from.data<T>() + simple.from_offset;
    T* destination = to.mutable_data<T>() + simple.to_offset;
    if (transpose) {
      move_transposed(simple, source, destination);
    } else if (repeats_elements(simple)) {
      move_repeated(simple, source, destination);
    } else {
      walk_rows(simple, source, destination, move_row<T>);
    }
  });
}

void add_strided(const StridedMove& move, const Array& from, Array& to) {
  StridedMove simple = move;
  if (!simplify(simple)) return;
  if (simple.rank == 0) simple.add_dimension(1, 1, 1);
  const auto add = [&](auto zero) {
    using T = decltype(zero);
    walk_rows(simple, from.data<T>() + simple.from_offset, to.mutable_data<T>() + simple.to_offset,
              add_row<T>);
  };
  if (to.dtype == Dtype::int64) return add(std::uint64_t{});  // whose overflow is defined
  visit_floating(to.dtype, add);
}

}  // namespace xtgrad::v1::detail
