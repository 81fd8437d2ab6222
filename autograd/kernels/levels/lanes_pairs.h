// Neighbours apart and together again, for kernels that treat elements in pairs.
#pragma once

#include <utility>

#include "xtgrad/autograd/kernels/levels/lanes.h"
#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

/// Two lanes that lie side by side in memory.
template <LaneFloat T>
struct TwoLanes {
  Lane<T> first, second;

  static TwoLanes load(const T* p) { return {Lane<T>::load(p), Lane<T>::load(p + Lane<T>::width)}; }
  void store(T* p) const {
    first.store(p);
    second.store(p + Lane<T>::width);
  }
};

/// The lane whose element i is element Place::of(i) of a and b side by side.
template <class Place, LaneFloat T>
Lane<T> shuffle(Lane<T> a, Lane<T> b) {
  using Batch = typename Lane<T>::Batch;
  const typename Batch::register_type x = a.raw, y = b.raw;
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return Lane<T>(Batch(__builtin_shufflevector(x, y, Place::of(static_cast<int>(I))...)));
  }
  (std::make_index_sequence<Lane<T>::width>{});
}

/// Elements 0, 2, 4, ... of both.
template <LaneFloat T>
Lane<T> evens(const TwoLanes<T>& x) {
  struct Place {
    static constexpr int of(int i) { return 2 * i; }
  };
  return shuffle<Place>(x.first, x.second);
}

/// Elements 1, 3, 5, ... of both.
template <LaneFloat T>
Lane<T> odds(const TwoLanes<T>& x) {
  struct Place {
    static constexpr int of(int i) { return 2 * i + 1; }
  };
  return shuffle<Place>(x.first, x.second);
}

/// The lanes that have these evens and these odds.
template <LaneFloat T>
TwoLanes<T> interleave(Lane<T> even, Lane<T> odd) {
  static constexpr int width = static_cast<int>(Lane<T>::width);
  struct First {
    static constexpr int of(int i) { return i / 2 + i % 2 * width; }
  };
  struct Second {
    static constexpr int of(int i) { return (i + width) / 2 + i % 2 * width; }
  };
  return {shuffle<First>(even, odd), shuffle<Second>(even, odd)};
}

}  // namespace xtgrad::v1::detail
