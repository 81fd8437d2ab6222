#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "xtgrad/autograd/kernels/row_products.h"
#include "xtgrad/autograd/memory/pool_allocator.h"

namespace xtgrad {
inline namespace v1 {
namespace detail {

template <class T>
using PoolVector = std::vector<T, PoolAllocator<T>>;

/// Where an element of a kernel meets a side of an image: output i and element k meet the padded side at
/// stride * i + dilation * k. With dilation * k = stride * shift + phase that is element i + shift of the
/// phase-th of `stride` interleaved parts, so that neighbouring outputs meet neighbouring elements: a strided
/// convolution becomes some plain ones.
struct Tap {
  std::int64_t phase;
  std::int64_t shift;
};

/// The taps of one side of a kernel, and the phases that any of them has.
struct Taps {
  Taps(std::int64_t kernel, std::int64_t stride, std::int64_t dilation) {
    for (std::int64_t k = 0; k < kernel; ++k) {
      taps.push_back({.phase = dilation * k % stride, .shift = dilation * k / stride});
      if (std::find(phases.begin(), phases.end(), taps.back().phase) == phases.end())
        phases.push_back(taps.back().phase);
    }
  }
  /// Index of a tap's phase among `phases`.
  [[nodiscard]] std::int64_t slot(std::int64_t k) const {
    return std::find(phases.begin(), phases.end(), taps[static_cast<std::size_t>(k)].phase) - phases.begin();
  }
  [[nodiscard]] std::int64_t shift(std::int64_t k) const { return taps[static_cast<std::size_t>(k)].shift; }
  [[nodiscard]] std::int64_t max_shift() const { return taps.empty() ? 0 : taps.back().shift; }
  [[nodiscard]] std::int64_t count() const { return static_cast<std::int64_t>(taps.size()); }

  PoolVector<Tap> taps;
  PoolVector<std::int64_t> phases;
};

/// One side of a padded copy: element j of phase f is element (j + first) * stride + f - padding of the
/// source's side, or 0 where the source has none.
struct PaddedSide {
  std::int64_t size;    // of the source
  std::int64_t length;  // of the copy, in each phase
  std::int64_t stride = 1;
  std::int64_t padding = 0;
  PoolVector<std::int64_t> phases = {0};
};

/// Layout of a padded copy of the images [channels, h, w] that rows of a product are views of: for each
/// channel and pair of phases a plane of rows.length x columns.length.
struct PaddedImages {
  std::int64_t channels;
  PaddedSide rows;
  PaddedSide columns;

  [[nodiscard]] std::int64_t plane() const { return rows.length * columns.length; }
  [[nodiscard]] std::int64_t planes_per_channel() const {
    return static_cast<std::int64_t>(rows.phases.size() * columns.phases.size());
  }
  /// Where the plane of a channel and a pair of phases begins; the phases by their index.
  [[nodiscard]] std::int64_t plane_at(std::int64_t channel, std::int64_t row_slot,
                                      std::int64_t column_slot) const {
    const auto column_slots = static_cast<std::int64_t>(columns.phases.size());
    return (channel * planes_per_channel() + row_slot * column_slots + column_slot) * plane();
  }
  /// Elements of the copy, with room behind it for views that are shifted and rounded up to whole registers.
  template <class T>
  [[nodiscard]] std::int64_t elements() const {
    return whole_lanes<T>(channels * planes_per_channel() * plane() + columns.length) + whole_lanes<T>(1);
  }

  /// Copies images [channels, h, w]; `first_row` is the first of `rows`. `copy` holds zeros, or what an
  /// earlier call put there: the padding of columns is never written, nor is that of rows with `same_rows`,
  /// which says that `first_row` has always been the same.
  template <class T>
  void fill(const T* images, std::int64_t first_row, T* copy, bool same_rows) const;
};

}  // namespace detail
}  // namespace v1
}  // namespace xtgrad
