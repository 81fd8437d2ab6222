// Which element is meant, for kernels that look for one: integers that go with a lane of numbers.
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>

#include "xtgrad/autograd/kernels/levels/lanes.h"
#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

/// An integer for each element of a Lane<T>, of T's size, so that a mask of those chooses among these.
template <LaneFloat T>
struct IndexLane {
  using value_type = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  using Batch = xsimd::batch<value_type>;
  static constexpr std::size_t width = Lane<T>::width;
  static_assert(Batch::size == width);

  Batch raw;

  explicit IndexLane(value_type i) : raw(i) {}
  explicit IndexLane(Batch b) : raw(b) {}
  /// 0, step, 2 step, ...
  static IndexLane counting(value_type step) {
    std::array<value_type, width> count;
    for (std::size_t i = 0; i < width; ++i) count[i] = static_cast<value_type>(i) * step;
    return load(count.data());
  }
  static IndexLane load(const value_type* p) { return IndexLane(Batch::load_unaligned(p)); }
  void store(value_type* p) const { raw.store_unaligned(p); }

  friend IndexLane operator+(IndexLane a, IndexLane b) { return IndexLane(a.raw + b.raw); }
  friend IndexLane where(Mask<T> m, IndexLane a, IndexLane b) {
    // xsimd 8 cannot make a mask of integers of one of floats, but choosing only moves bits.
    const auto as_floats = [](IndexLane i) { return Lane<T>(xsimd::bitwise_cast<xsimd::batch<T>>(i.raw)); };
    return IndexLane(xsimd::bitwise_cast<Batch>(where(m, as_floats(a), as_floats(b)).raw));
  }
};

}  // namespace xtgrad::v1::detail
