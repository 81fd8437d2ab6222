// Where the best element of a row stands, in one walk.
#pragma once

#include <array>
#include <cstdint>

#include "xtgrad/autograd/kernels/levels/lanes.h"
#include "xtgrad/autograd/kernels/levels/lanes_index.h"
#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

struct Largest {
  static auto beats(auto a, auto b) { return a > b; }
};
struct Smallest {
  static auto beats(auto a, auto b) { return a < b; }
};

/// The first of those that tie; NaN beats all, and the first NaN stays. `Order` is Largest or Smallest.
template <class Order, class T>
std::int64_t place_of_best_by_one(const T* x, std::int64_t n) {
  T best = x[0];
  std::int64_t place = 0;
  for (std::int64_t i = 1; i < n; ++i) {
    const T next = x[i];
    // No branches: which element is the best nobody can guess.
    const bool takes = static_cast<int>(Order::beats(next, best)) |
                       (static_cast<int>(next != next) & static_cast<int>(best == best));
    best = takes ? next : best;
    place = takes ? i : place;
  }
  return place;
}

/// The same of at most 2^31 - 1 elements, as many at a time as a register holds.
template <class Order, LaneFloat T>
std::int64_t place_of_best_by_lanes(const T* x, std::int64_t n) {
  using Index = typename IndexLane<T>::value_type;
  constexpr auto width = static_cast<std::int64_t>(Lane<T>::width);
  const IndexLane<T> counted = IndexLane<T>::counting(1);
  Lane<T> best = Lane<T>::load(x);
  IndexLane<T> place = counted;
  const auto meet = [&](std::int64_t i) {
    const Lane<T> next = Lane<T>::load(x + i);
    const Mask<T> takes = Order::beats(next, best) | (isnan(next) & (best == best));
    best = where(takes, next, best);
    place = where(takes, counted + IndexLane<T>(static_cast<Index>(i)), place);
  };
  std::int64_t i = width;
  for (; i + width <= n; i += width) meet(i);
  if (i < n) meet(n - width);  // some a second time, which beat nothing then

  std::array<T, Lane<T>::width> bests;
  std::array<Index, Lane<T>::width> places;
  best.store(bests.data());
  place.store(places.data());
  for (std::size_t half = bests.size() / 2; half > 0; half /= 2) {
    for (std::size_t k = 0; k < half; ++k) {
      const T a = bests[k], b = bests[k + half];
      const bool alike = static_cast<int>(a == b) | (static_cast<int>(a != a) & static_cast<int>(b != b));
      const bool beats =
          static_cast<int>(Order::beats(b, a)) | (static_cast<int>(b != b) & static_cast<int>(a == a));
      const bool takes = static_cast<int>(beats) |
                         (static_cast<int>(alike) & static_cast<int>(places[k + half] < places[k]));
      bests[k] = takes ? b : a;
      places[k] = takes ? places[k + half] : places[k];
    }
  }
  return places[0];
}

template <class Order, class T>
std::int64_t place_of_best(const T* x, std::int64_t n) {
  if constexpr (LaneFloat<T>) {
    if (n >= static_cast<std::int64_t>(2 * Lane<T>::width)) return place_of_best_by_lanes<Order>(x, n);
  }
  return place_of_best_by_one<Order>(x, n);
}

}  // namespace xtgrad::v1::detail
