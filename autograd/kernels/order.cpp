#include "xtgrad/autograd/kernels/order.h"

#include <algorithm>
#include <vector>

#include "xtgrad/autograd/kernels/parallel.h"
#include "xtgrad/autograd/memory/pool_allocator.h"

namespace xtgrad::inline v1::detail {
namespace {

/// Elements that one unit of work orders, where rows are short.
constexpr std::int64_t unit_elements = 1 << 12;

template <class T>
struct Keyed {
  T value;
  std::int64_t index;
};

/// In order of value, then of index: a total order, so that a sort need not be stable. NaN comes after all.
template <class T>
bool ascends(const Keyed<T>& a, const Keyed<T>& b) {
  if (a.value < b.value) return true;
  if (b.value < a.value) return false;
  const bool a_is_nan = a.value != a.value;
  const bool b_is_nan = b.value != b.value;
  return a_is_nan != b_is_nan ? b_is_nan : a.index < b.index;
}

template <class T>
bool descends(const Keyed<T>& a, const Keyed<T>& b) {
  if (a.value > b.value) return true;
  if (b.value > a.value) return false;
  const bool a_is_nan = a.value != a.value;
  const bool b_is_nan = b.value != b.value;
  return a_is_nan != b_is_nan ? a_is_nan : a.index < b.index;
}

template <class T, class Before>
void first_in_order(std::vector<Keyed<T>, PoolAllocator<Keyed<T>>>& row, std::int64_t count, Before before) {
  if (static_cast<std::size_t>(count) == row.size()) {
    std::sort(row.begin(), row.end(), before);
    return;
  }
  // Selecting in linear time, then ordering what was selected, also where count is half of the row.
  std::nth_element(row.begin(), row.begin() + count, row.end(), before);
  std::sort(row.begin(), row.begin() + count, before);
}

template <class T>
void order_typed(const T* in, const AxisView& view, std::int64_t count, bool descending, T* values,
                 std::int64_t* indices) {
  const std::int64_t rows = view.outer * view.inner;
  const std::int64_t rows_per_tile =
      std::max<std::int64_t>(1, unit_elements / std::max<std::int64_t>(1, view.axis));
  for_each_tile((rows + rows_per_tile - 1) / rows_per_tile, [&](std::int64_t tile) {
    std::vector<Keyed<T>, PoolAllocator<Keyed<T>>> row(static_cast<std::size_t>(view.axis));
    const std::int64_t last = std::min(rows, (tile + 1) * rows_per_tile);
    for (std::int64_t r = tile * rows_per_tile; r < last; ++r) {
      const std::int64_t outer = r / view.inner;
      const std::int64_t inner = r % view.inner;
      const T* from = in + outer * view.axis * view.inner + inner;
      for (std::int64_t a = 0; a < view.axis; ++a)
        row[static_cast<std::size_t>(a)] = {from[a * view.inner], a};
      if (descending) {
        first_in_order(row, count, descends<T>);
      } else {
        first_in_order(row, count, ascends<T>);
      }
      const std::int64_t to = outer * count * view.inner + inner;
      for (std::int64_t a = 0; a < count; ++a) {
        values[to + a * view.inner] = row[static_cast<std::size_t>(a)].value;
        indices[to + a * view.inner] = row[static_cast<std::size_t>(a)].index;
      }
    }
  });
}

}  // namespace

void order_axis(const Array& in, const AxisView& view, std::int64_t count, bool descending, Array& values,
                Array& indices) {
  if (values.numel() == 0) return;
  visit_numeric(in.dtype, [&](auto zero) {
    using T = decltype(zero);
    order_typed(in.data<T>(), view, count, descending, values.mutable_data<T>(),
                indices.mutable_data<std::int64_t>());
  });
}

}  // namespace xtgrad::v1::detail
