#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "xtgrad/autograd/kernels/broadcast.h"
#include "xtgrad/autograd/kernels/levels/copy_strided.h"
#include "xtgrad/autograd/kernels/levels/level.h"
#include "xtgrad/autograd/kernels/parallel.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

/// Columns of a unit: enough for whole cache lines, few enough that a lone matrix still keeps several threads
/// busy.
inline constexpr std::int64_t unit_columns = 64;

/// The walk over an index as units that never meet: each is the whole axis at some columns of the last
/// dimension, so two units differ in a coordinate off the axis.
struct IndexWalk {
  BroadcastPlan<2> units;         // strides: of x, of the index
  std::int64_t count = 0;         // entries of the index along the axis
  std::int64_t columns = 1;       // of the last dimension; 1 if that is the axis
  std::int64_t column_units = 1;  // units side by side
  std::int64_t x_stride = 1;      // along the axis
  std::int64_t index_stride = 1;  // along the axis
};

inline IndexWalk plan_walk(const Shape& x, std::size_t axis, const Shape& index) {
  IndexWalk walk;
  walk.count = index[axis];
  const std::size_t last = index.rank() - 1;
  const Strides x_strides = row_major_strides(x);
  const Strides index_strides = row_major_strides(index);
  walk.x_stride = x_strides[axis];
  walk.index_stride = index_strides[axis];
  BroadcastPlan<2>& units = walk.units;
  const auto add_dimension = [&units](std::int64_t size, std::int64_t x_step, std::int64_t index_step) {
    units.sizes[units.rank] = size;
    units.strides[0][units.rank] = x_step;
    units.strides[1][units.rank] = index_step;
    units.rows *= size;
    ++units.rank;
  };
  for (std::size_t d = 0; d < last; ++d) {
    if (d != axis) add_dimension(index[d], x_strides[d], index_strides[d]);
  }
  if (axis != last) {
    walk.columns = index[last];
    walk.column_units = (walk.columns + unit_columns - 1) / unit_columns;
    add_dimension(walk.column_units, unit_columns, unit_columns);
  }
  return walk;
}

/// Calls `body(x_offset, index_offset, columns)` for every unit.
template <class F>
void for_each_unit(const IndexWalk& walk, F&& body) {
  const std::int64_t units = walk.units.rows;
  const std::int64_t elements = walk.count * std::min(walk.columns, unit_columns);  // of a unit, at most
  const std::int64_t units_per_tile = std::max<std::int64_t>(1, tile_elements / elements);
  for_each_tile((units + units_per_tile - 1) / units_per_tile, [&](std::int64_t tile) {
    const std::int64_t last = std::min(units, (tile + 1) * units_per_tile);
    for_each_row(walk.units, tile * units_per_tile, last,
                 [&](std::int64_t unit, const std::array<std::int64_t, 2>& offsets) {
                   const std::int64_t column = unit % walk.column_units * unit_columns;
                   body(offsets[0], offsets[1], std::min(unit_columns, walk.columns - column));
                 });
  });
}

}  // namespace xtgrad::v1::detail
