#pragma once

#include "benchmarks/compare/by_hand/loops.h"
#include "xtgrad/autograd/kernels/levels/lanes_pairs.h"

namespace bench {

// 2x2 max pooling and relu of a plane, and back. Rows are written in whole registers, in order: what lies
// behind a row is zero, or the next row, which is written later.

/// Which of a window's four elements was the largest, in scan order, as a number; none where relu cuts it
/// off.
inline constexpr float nowhere = 4;

inline std::int64_t whole_lanes(std::int64_t n) { return (n + lane_width - 1) / lane_width * lane_width; }

struct PooledPlane {
  std::int64_t height, width;  // of the result
  std::int64_t from_pitch, to_pitch;
};

/// True for lanes before n.
inline xtgrad::detail::Mask<float> before(std::int64_t n) {
  alignas(64) static constexpr auto counting = [] {
    std::array<float, Lane::width> values{};
    for (std::size_t k = 0; k < values.size(); ++k) values[k] = static_cast<float>(k);
    return values;
  }();
  return Lane::load(counting.data()) < Lane(static_cast<float>(n));
}

/// y = relu(max of the windows of x + bias); places is [height, whole_lanes(width)].
inline void pool(const PooledPlane& p, const float* x, float bias, float* y, float* places) {
  using Two = xtgrad::detail::TwoLanes<float>;
  for (std::int64_t row = 0; row < p.height; ++row) {
    const float* upper = x + 2 * row * p.from_pitch;
    const float* lower = upper + p.from_pitch;
    for (std::int64_t j = 0; j < p.width; j += lane_width) {
      const Two a = Two::load(upper + 2 * j);
      const Two b = Two::load(lower + 2 * j);
      const Lane a0 = evens(a), a1 = odds(a), b0 = evens(b), b1 = odds(b);
      const Lane best_a = where(a1 > a0, a1, a0), best_b = where(b1 > b0, b1, b0);
      const Lane at_a = where(a1 > a0, Lane(1.0F), Lane(0.0F)), at_b = where(b1 > b0, Lane(3.0F), Lane(2.0F));
      const Lane best = where(best_b > best_a, best_b, best_a) + bias;
      const auto kept = (best > 0) & before(p.width - j);
      where(kept, best, Lane(0.0F)).store(y + row * p.to_pitch + j);
      where(kept, where(best_b > best_a, at_b, at_a), Lane(nowhere))
          .store(places + row * whole_lanes(p.width) + j);
    }
  }
}

/// Puts dy [height] rows of to_pitch to the places in dx, rows of from_pitch, and zeros elsewhere; returns
/// the sum of what it has put.
inline float unpool(const PooledPlane& p, const float* dy, const float* places, float* dx) {
  Lane total(0.0F);
  for (std::int64_t row = 0; row < p.height; ++row) {
    for (int half = 0; half < 2; ++half) {
      float* to = dx + (2 * row + half) * p.from_pitch;
      for (std::int64_t j = 0; j < p.width; j += lane_width) {
        const Lane g = Lane::load(dy + row * p.to_pitch + j);
        const Lane at = Lane::load(places + row * whole_lanes(p.width) + j) - static_cast<float>(2 * half);
        const Lane left = where(at == Lane(0.0F), g, Lane(0.0F)),
                   right = where(at == Lane(1.0F), g, Lane(0.0F));
        interleave(left, right).store(to + 2 * j);
        total += left + right;
      }
    }
  }
  return sum_of(total);
}

}  // namespace bench
