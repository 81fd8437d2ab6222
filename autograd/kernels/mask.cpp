#include "xtgrad/autograd/kernels/mask.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>

#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/kernels/broadcast.h"
#include "xtgrad/autograd/kernels/parallel.h"

namespace xtgrad::inline v1::detail {
namespace {

/// Elements of bool are read as the bytes that they are, which compilers turn into SIMD.
template <class T>
using Readable = std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>;

template <class T>
std::int64_t count_typed(const T* x, std::int64_t n) {
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < n; ++i) count += x[i] != 0 ? 1 : 0;
  return count;
}

/// Without a branch, which a random mask would mispredict: each place is written, and the next one over it
/// unless it counts.
template <class T>
void fill_flat(const T* x, std::int64_t count, std::int64_t* places) {
  std::int64_t found = 0;
  for (std::int64_t i = 0; found < count; ++i) {
    places[found] = i;
    found += x[i] != 0 ? 1 : 0;
  }
}

/// Numbers in row-major order, the last `count` of places [count, rank], as indices: each lies behind the
/// index that it becomes, or is the last of it.
void spread_indices(const Shape& shape, std::int64_t count, std::int64_t* places) {
  const std::size_t last = shape.rank() - 1;
  const std::int64_t* number = places + count * static_cast<std::int64_t>(last);
  std::array<std::int64_t, Shape::max_rank> index{};
  std::int64_t row = 0;  // the number of its first element
  for (std::int64_t k = 0; k < count; ++k, ++number) {
    const std::int64_t at = *number;
    for (; at - row >= shape[last]; row += shape[last]) {
      for (std::size_t d = last; d-- > 0;) {
        if (++index[d] < shape[d]) break;
        index[d] = 0;
      }
    }
    places = std::copy_n(index.data(), last, places);
    *places++ = at - row;
  }
}

}  // namespace

std::int64_t count_set(const Array& x) {
  const std::int64_t n = x.numel();
  std::atomic<std::int64_t> count = 0;  // of integers: the order of additions does not matter
  visit(x.dtype, [&](auto zero) {
    using T = Readable<decltype(zero)>;
    for_each_tile((n + tile_elements - 1) / tile_elements, [&](std::int64_t tile) {
      const std::int64_t first = tile * tile_elements;
      count.fetch_add(count_typed(x.data<T>() + first, std::min(tile_elements, n - first)),
                      std::memory_order_relaxed);
    });
  });
  return count.load();
}

void fill_set_places(const Array& x, Array& places) {
  const std::int64_t count = places.shape[0];
  if (places.numel() == 0) return;
  visit(x.dtype, [&](auto zero) {
    using T = Readable<decltype(zero)>;
    auto* to = places.mutable_data<std::int64_t>();
    fill_flat(x.data<T>(), count, to + count * (places.shape[1] - 1));
  });
  if (x.shape.rank() > 1) spread_indices(x.shape, count, places.mutable_data<std::int64_t>());
}

void count_before(const Array& mask, std::int64_t most, Array& counts) {
  const auto* set = mask.data<std::uint8_t>();
  auto* to = counts.mutable_data<std::int64_t>();
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < mask.numel(); ++i) {
    to[i] = std::min(count, most);
    count += set[i];
  }
}

}  // namespace xtgrad::v1::detail
