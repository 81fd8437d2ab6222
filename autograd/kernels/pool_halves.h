#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "xtgrad/autograd/kernels/lanes_pairs.h"
#include "xtgrad/autograd/memory/pool_allocator.h"

namespace xtgrad::inline v1::detail {

/// True if `next` takes the place of the largest so far: it is larger, or the first NaN.
template <LaneFloat T>
Mask<T> beats(Lane<T> next, Lane<T> best) {
  return (best == best) & !(next <= best);
}

/// Max pooling by 2x2 windows side by side, which nearly everybody uses, of rows in pairs: x is [2 pairs, 2
/// n] without gaps, whatever planes the rows belong to, and y is [pairs, n]. Neighbours in a row are compared
/// first, and all rows as one, for a row is often shorter than a lane; then each upper row with its lower
/// one. The first of equal elements in scan order still wins.
template <LaneFloat T>
class Halves {
 public:
  /// For up to `pairs` pairs of rows at a time.
  Halves(std::int64_t pairs, std::int64_t n)
      : n_(n), best_(room(2 * pairs)), chosen_(room(2 * pairs)), result_(room(pairs)) {}

  /// The largest element of each window.
  void max(const T* x, std::int64_t pairs, T* y) {
    compare_neighbours(x, pairs);
    each_lane_of_rows(pairs, [&](std::int64_t upper, std::int64_t lower, std::int64_t to) {
      const Lane<T> a = best_at(upper), b = best_at(lower);
      where(beats(b, a), b, a).store(result_.data() + to);
    });
    std::copy_n(result_.data(), pairs * n_, y);
  }

  /// The elements of u where x has the largest.
  void take(const T* u, const T* x, std::int64_t pairs, T* y) {
    each_neighbours(pairs, [&](std::int64_t k, std::int64_t count) {
      const TwoLanes<T> v = load(x + 2 * k, 2 * count), w = load(u + 2 * k, 2 * count);
      const Lane<T> left = evens(v), right = odds(v);
      const Mask<T> is_right = beats(right, left);
      where(is_right, right, left).store(best_.data() + k);
      where(is_right, odds(w), evens(w)).store(chosen_.data() + k);
    });
    each_lane_of_rows(pairs, [&](std::int64_t upper, std::int64_t lower, std::int64_t to) {
      const Mask<T> is_lower = beats(best_at(lower), best_at(upper));
      where(is_lower, Lane<T>::load(chosen_.data() + lower), Lane<T>::load(chosen_.data() + upper))
          .store(result_.data() + to);
    });
    std::copy_n(result_.data(), pairs * n_, y);
  }

  /// g where x has the largest, 0 elsewhere.
  void put(const T* g, const T* x, std::int64_t pairs, T* out) {
    compare_neighbours(x, pairs);
    std::copy_n(g, pairs * n_, result_.data());
    for (std::int64_t pair = 0; pair < pairs; ++pair) {
      const std::int64_t upper = 2 * pair * n_, lower = upper + n_, from = pair * n_;
      // A row's last lane reaches into the next row, which is therefore written later.
      for (std::int64_t j = 0; j < n_; j += width) {
        const Lane<T> share = Lane<T>::load(result_.data() + from + j);
        where(beats(best_at(lower + j), best_at(upper + j)), 0, share).store(chosen_.data() + upper + j);
      }
      for (std::int64_t j = 0; j < n_; j += width) {
        const Lane<T> share = Lane<T>::load(result_.data() + from + j);
        where(beats(best_at(lower + j), best_at(upper + j)), share, 0).store(chosen_.data() + lower + j);
      }
    }
    each_neighbours(pairs, [&](std::int64_t k, std::int64_t count) {
      const TwoLanes<T> v = load(x + 2 * k, 2 * count);
      const Mask<T> is_right = beats(odds(v), evens(v));
      const Lane<T> share = Lane<T>::load(chosen_.data() + k);
      store(interleave(where(is_right, 0, share), where(is_right, share, 0)), out + 2 * k, 2 * count);
    });
  }

 private:
  static constexpr auto width = static_cast<std::int64_t>(Lane<T>::width);
  using Scratch = std::vector<T, PoolAllocator<T>>;

  /// Elements of some rows, and a lane more to reach into.
  [[nodiscard]] std::size_t room(std::int64_t rows) const {
    return static_cast<std::size_t>(rows * n_ + width);
  }
  [[nodiscard]] Lane<T> best_at(std::int64_t k) const { return Lane<T>::load(best_.data() + k); }

  /// Two lanes of which `count` elements exist.
  static TwoLanes<T> load(const T* p, std::int64_t count) {
    if (count >= 2 * width) return TwoLanes<T>::load(p);
    std::array<T, 2 * Lane<T>::width> copy{};
    std::copy_n(p, count, copy.data());
    return TwoLanes<T>::load(copy.data());
  }
  static void store(const TwoLanes<T>& lanes, T* p, std::int64_t count) {
    if (count >= 2 * width) return lanes.store(p);
    std::array<T, 2 * Lane<T>::width> copy;
    lanes.store(copy.data());
    std::copy_n(copy.data(), count, p);
  }

  /// Calls `body(k, count)` for lanes of pairs of neighbours: `count` pairs, of which k is the first.
  template <class F>
  void each_neighbours(std::int64_t pairs, F&& body) const {
    const std::int64_t n = 2 * pairs * n_;
    for (std::int64_t k = 0; k < n; k += width) body(k, std::min(width, n - k));
  }

  /// Calls `body(upper, lower, result)` with the places of a lane in the two rows of a pair and in the
  /// result.
  template <class F>
  void each_lane_of_rows(std::int64_t pairs, F&& body) const {
    for (std::int64_t pair = 0; pair < pairs; ++pair) {
      for (std::int64_t j = 0; j < n_; j += width)
        body(2 * pair * n_ + j, (2 * pair + 1) * n_ + j, pair * n_ + j);
    }
  }

  void compare_neighbours(const T* x, std::int64_t pairs) {
    each_neighbours(pairs, [&](std::int64_t k, std::int64_t count) {
      const TwoLanes<T> v = load(x + 2 * k, 2 * count);
      const Lane<T> left = evens(v), right = odds(v);
      where(beats(right, left), right, left).store(best_.data() + k);
    });
  }

  std::int64_t n_;
  Scratch best_;    // of each pair of neighbours
  Scratch chosen_;  // what belongs to these
  Scratch result_;  // one for each window
};

}  // namespace xtgrad::v1::detail
