#include "xtgrad/autograd/kernels/scatter.h"

#include <cstdint>

#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/kernels/copy_short.h"
#include "xtgrad/autograd/kernels/levels/index_walk.h"

namespace xtgrad::inline v1::detail {
namespace {

/// Calls `combine(to, value)` for every entry of a source.
template <class T, class F>
void scatter_typed(Array& out, std::size_t axis, const Array& index, const Array& source, F combine) {
  const IndexWalk walk = plan_walk(out.shape, axis, index.shape);
  T* const all = out.mutable_data<T>();
  const T* const values = source.data<T>();
  const auto* places = index.data<std::int64_t>();
  for_each_unit(walk, [&](std::int64_t out_offset, std::int64_t index_offset, std::int64_t columns) {
    for (std::int64_t a = 0; a < walk.count; ++a) {
      const std::int64_t row = index_offset + a * walk.index_stride;
      for (std::int64_t j = 0; j < columns; ++j)
        combine(all[out_offset + places[row + j] * walk.x_stride + j], values[row + j]);
    }
  });
}

/// NaN wins: it is no larger than what is there, and nothing is larger than it. The choice between two
/// numbers is a single instruction, and whether one is NaN a branch that is nearly always right.
template <class T>
void take_larger(T& best, T value) {
  const T larger = value > best ? value : best;
  best = value == value ? larger : value;
}

template <class T>
void take_smaller(T& best, T value) {
  const T smaller = value < best ? value : best;
  best = value == value ? smaller : value;
}

}  // namespace

void scatter_elements(Array& out, std::size_t axis, const Array& index, const Array& source) {
  if (index.numel() == 0) return;
  visit(out.dtype, [&](auto zero) {
    using T = decltype(zero);
    scatter_typed<T>(out, axis, index, source, [](T& to, T value) { to = value; });
  });
}

void scatter_rows(Array& out, std::size_t axis, const Array& index, const Array& source) {
  if (source.numel() == 0) return;
  const IndexWalk walk = plan_walk(out.shape, axis, source.shape);
  const auto* places = index.data<std::int64_t>();
  visit(out.dtype, [&](auto zero) {
    using T = decltype(zero);
    T* const all = out.mutable_data<T>();
    const T* const values = source.data<T>();
    for_each_unit(walk, [&](std::int64_t out_offset, std::int64_t offset, std::int64_t columns) {
      for (std::int64_t a = 0; a < walk.count; ++a) {
        copy_short(values + offset + a * walk.index_stride, columns,
                   all + out_offset + places[a] * walk.x_stride);
      }
    });
  });
}

void scatter_extremes(Array& out, std::size_t axis, const Array& index, const Array& source,
                      Extreme extreme) {
  if (index.numel() == 0) return;
  visit_listed<NumericTypes>(out.dtype, [&](auto zero) {
    using T = decltype(zero);
    if (extreme == Extreme::largest) {
      scatter_typed<T>(out, axis, index, source, take_larger<T>);
    } else {
      scatter_typed<T>(out, axis, index, source, take_smaller<T>);
    }
  });
}

}  // namespace xtgrad::v1::detail
