#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "xtgrad/autograd/kernels/levels/lanes_index.h"
#include "xtgrad/autograd/kernels/levels/lanes_pairs.h"
#include "xtgrad/autograd/kernels/levels/level.h"
#include "xtgrad/autograd/kernels/levels/scratch.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

/// True if `next` takes the place of the largest so far: it is larger, or the first NaN.
template <LaneFloat T>
Mask<T> beats(Lane<T> next, Lane<T> best) {
  return (best == best) & !(next <= best);
}
template <LaneFloat T>
bool beats(T next, T best) {
  return (best == best) & !(next <= best);  // no && : without a branch the compiler uses SIMD
}

/// Where rows in pairs lie in planes.
struct RowPairs {
  std::int64_t first;        // of its plane's pairs, that which the first row pair is
  std::int64_t per_plane;    // row pairs
  std::int64_t image_width;  // elements of a row in the plane, of which one may be left out
};

/// Max pooling by 2x2 windows side by side, which nearly everybody uses, of rows in pairs: x is [2 pairs, 2
/// n] without gaps, whatever planes the rows belong to, and y is [pairs, n]. Neighbours in a row are compared
/// first, and all rows as one, for a row is often shorter than a lane; then each upper row with its lower
/// one. The first of equal elements in scan order still wins.
template <LaneFloat T>
class Halves {
 public:
  using Position = typename IndexLane<T>::value_type;

  /// For up to `pairs` pairs of rows at a time.
  Halves(std::int64_t pairs, std::int64_t n)
      : n_(n),
        best_(room(2 * pairs)),
        best_at_(room(2 * pairs)),
        largest_(room(pairs)),
        largest_at_(room(pairs)) {}

  /// Finds the largest element of each window and, if asked, its position in its plane, which Position must
  /// hold.
  template <bool WithPositions>
  void find(const T* x, std::int64_t pairs, const RowPairs& rows) {
    compare_neighbours<WithPositions>(x, pairs);
    const IndexLane<T> gap(static_cast<Position>(rows.image_width - 2 * n_));
    std::int64_t in_plane = rows.first;
    for (std::int64_t pair = 0; pair < pairs; ++pair) {
      // From a position in x to one in the plane, for the upper row; the lower one lies another gap further.
      const IndexLane<T> shift(static_cast<Position>(2 * in_plane * rows.image_width - 4 * pair * n_));
      const std::int64_t upper = 2 * pair * n_, lower = upper + n_, to = pair * n_;
      // A row's last lane reaches into the next row, which is therefore written later.
      for (std::int64_t j = 0; j < n_; j += width) {
        const Lane<T> a = Lane<T>::load(best_.data() + upper + j),
                      b = Lane<T>::load(best_.data() + lower + j);
        const Mask<T> is_lower = beats(b, a);
        where(is_lower, b, a).store(largest_.data() + to + j);
        if constexpr (WithPositions) {
          const auto a_at = IndexLane<T>::load(best_at_.data() + upper + j);
          const auto b_at = IndexLane<T>::load(best_at_.data() + lower + j);
          (where(is_lower, b_at + gap, a_at) + shift).store(largest_at_.data() + to + j);
        }
      }
      in_plane = in_plane + 1 == rows.per_plane ? 0 : in_plane + 1;
    }
  }

  // What was found, for each window.
  [[nodiscard]] const T* largest() const { return largest_.data(); }
  [[nodiscard]] const Position* largest_at() const { return largest_at_.data(); }

 private:
  static constexpr auto width = static_cast<std::int64_t>(Lane<T>::width);

  /// Elements of some rows, and a lane more to reach into.
  [[nodiscard]] std::size_t room(std::int64_t rows) const {
    return static_cast<std::size_t>(rows * n_ + width);
  }

  /// Two lanes of which `count` elements exist.
  static TwoLanes<T> load(const T* p, std::int64_t count) {
    if (count >= 2 * width) return TwoLanes<T>::load(p);
    std::array<T, 2 * Lane<T>::width> copy{};
    std::copy_n(p, count, copy.data());
    return TwoLanes<T>::load(copy.data());
  }

  /// The larger of each two neighbours, and its position in x.
  template <bool WithPositions>
  void compare_neighbours(const T* x, std::int64_t pairs) {
    IndexLane<T> left_at = IndexLane<T>::counting(2);
    const std::int64_t n = 2 * pairs * n_;
    for (std::int64_t k = 0; k < n; k += width) {
      const TwoLanes<T> v = load(x + 2 * k, 2 * (n - k));
      const Lane<T> left = evens(v), right = odds(v);
      const Mask<T> is_right = beats(right, left);
      where(is_right, right, left).store(best_.data() + k);
      if constexpr (WithPositions) {
        where(is_right, left_at + IndexLane<T>(1), left_at).store(best_at_.data() + k);
        left_at = left_at + IndexLane<T>(static_cast<Position>(2 * width));
      }
    }
  }

  std::int64_t n_;
  ScratchVector<T> best_;  // of each pair of neighbours
  ScratchVector<Position> best_at_;
  ScratchVector<T> largest_;  // of each window
  ScratchVector<Position> largest_at_;
};

}  // namespace xtgrad::v1::detail
