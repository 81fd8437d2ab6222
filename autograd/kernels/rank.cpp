#include "xtgrad/autograd/kernels/rank.h"

#include <algorithm>
#include <vector>

#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/kernels/parallel.h"
#include "xtgrad/autograd/memory/pool_allocator.h"

namespace xtgrad::inline v1::detail {
namespace {

/// Elements that one unit of work reads.
constexpr std::int64_t unit_elements = 1 << 12;

template <class T>
using Line = std::vector<T, PoolAllocator<T>>;

template <class T>
bool is_nan(T v) {
  return v != v;
}

/// Writes, for each line, the first element that is equal to what `choose(line)` gives; it may reorder it.
template <class T, class Choose>
void choose_typed(const T* in, const AxisView& view, Choose choose, T* values, std::int64_t* indices) {
  const std::int64_t lines = view.outer * view.inner;
  const std::int64_t per_tile =
      std::max<std::int64_t>(1, unit_elements / std::max<std::int64_t>(1, view.axis));
  for_each_tile((lines + per_tile - 1) / per_tile, [&](std::int64_t tile) {
    Line<T> line(static_cast<std::size_t>(view.axis));
    const std::int64_t last = std::min(lines, (tile + 1) * per_tile);
    for (std::int64_t l = tile * per_tile; l < last; ++l) {
      const T* const from = in + l / view.inner * view.axis * view.inner + l % view.inner;
      for (std::int64_t a = 0; a < view.axis; ++a) line[static_cast<std::size_t>(a)] = from[a * view.inner];
      const T chosen = choose(line);
      std::int64_t place = 0;
      while (!(from[place * view.inner] == chosen || (is_nan(chosen) && is_nan(from[place * view.inner]))))
        ++place;
      values[l] = from[place * view.inner];
      indices[l] = place;
    }
  });
}

template <class T>
T median_of(Line<T>& line) {
  const auto nan = std::find_if(line.begin(), line.end(), is_nan<T>);
  if (nan != line.end()) return *nan;
  const auto middle = line.begin() + static_cast<std::ptrdiff_t>((line.size() - 1) / 2);
  std::nth_element(line.begin(), middle, line.end());
  return *middle;
}

template <class T>
T mode_of(Line<T>& line) {
  const auto numbers = std::partition(line.begin(), line.end(), [](T v) { return !is_nan(v); });
  std::sort(line.begin(), numbers);
  auto best = line.begin();
  std::ptrdiff_t most = 0;
  for (auto first = line.begin(); first != numbers;) {
    const auto behind = std::upper_bound(first, numbers, *first);
    if (behind - first > most) {
      most = behind - first;
      best = first;
    }
    first = behind;
  }
  return line.end() - numbers > most ? line.back() : *best;
}

template <class Choose>
void choose_axis(const Array& in, const AxisView& view, Choose choose, Array& values, Array& indices) {
  if (values.numel() == 0) return;
  visit_numeric(in.dtype, [&](auto zero) {
    using T = decltype(zero);
    choose_typed(in.data<T>(), view, choose, values.mutable_data<T>(), indices.mutable_data<std::int64_t>());
  });
}

}  // namespace

void median_axis(const Array& in, const AxisView& view, Array& values, Array& indices) {
  choose_axis(
      in, view, [](auto& line) { return median_of(line); }, values, indices);
}

void mode_axis(const Array& in, const AxisView& view, Array& values, Array& indices) {
  choose_axis(
      in, view, [](auto& line) { return mode_of(line); }, values, indices);
}

}  // namespace xtgrad::v1::detail
