#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "xtgrad/autograd/kernels/levels/row_dots.h"
#include "xtgrad/autograd/kernels/product/view_task.h"
#include "xtgrad/autograd/kernels/window.h"
#include "xtgrad/autograd/memory/pool_allocator.h"

namespace xtgrad::inline v1::detail {

template <class T>
using PoolVector = std::vector<T, PoolAllocator<T>>;

/// Where an element of a kernel meets a side of an image: output i and element k meet the padded side at
/// stride * i + dilation * k. With dilation * k = stride * (first_shift + shift) + phase that is element
/// i + first_shift + shift of the phase-th of `stride` interleaved parts, so that neighbouring outputs meet
/// neighbouring elements: a strided convolution becomes some plain ones.
struct Tap {
  std::int64_t element;  // k
  std::int64_t phase;
  std::int64_t shift;        // the first tap's is 0
  std::int64_t phase_index;  // among Taps::phases
};

/// The taps of one side of a kernel that meet the image at one output at least, and their phases. The others,
/// which a dilation may put anywhere, meet padding alone and are left out: copies need not reach them.
struct Taps {
  Taps(const WindowSide& window, std::int64_t size, std::int64_t outputs) {
    for (std::int64_t k = 0; k < window.kernel; ++k) {
      const PlaceRange meets = places_inside(window, k, size, outputs);
      if (meets.first == meets.last) continue;
      const std::int64_t distance = window.dilation * k;
      const std::int64_t phase = distance % window.stride;
      if (taps.empty()) first_shift = distance / window.stride;
      const auto known = std::find(phases.begin(), phases.end(), phase);
      taps.push_back({.element = k,
                      .phase = phase,
                      .shift = distance / window.stride - first_shift,
                      .phase_index = known - phases.begin()});
      if (known == phases.end()) phases.push_back(phase);
    }
  }
  [[nodiscard]] std::int64_t max_shift() const { return taps.empty() ? 0 : taps.back().shift; }
  [[nodiscard]] std::int64_t count() const { return static_cast<std::int64_t>(taps.size()); }

  PoolVector<Tap> taps;
  PoolVector<std::int64_t> phases;
  std::int64_t first_shift = 0;
};

/// One side of a padded copy: element j of phase f is element (j + first) * stride + f - padding of the
/// source's side, or 0 where the source has none.
struct PaddedSide {
  std::int64_t size;    // of the source
  std::int64_t length;  // of the copy, in each phase
  std::int64_t stride = 1;
  std::int64_t padding = 0;  // negative where the copy begins inside the source
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
  [[nodiscard]] std::int64_t plane_at(std::int64_t channel, std::int64_t row_phase,
                                      std::int64_t column_phase) const {
    const auto column_phases = static_cast<std::int64_t>(columns.phases.size());
    return (channel * planes_per_channel() + row_phase * column_phases + column_phase) * plane();
  }
  /// Elements of the copy, with room behind it for views that are shifted and rounded up to whole registers,
  /// in whole registers.
  template <class T>
  [[nodiscard]] std::int64_t elements() const {
    return whole_lanes<T>(channels * planes_per_channel() * plane() + columns.length) + view_slack;
  }
  /// Whether the first `count` rows of the copy would be no other than the images', at the same distances.
  [[nodiscard]] bool is_the_images(std::int64_t count) const {
    const auto is_whole = [](const PaddedSide& side) {
      return side.stride == 1 && side.padding == 0 && side.phases.size() == 1 && side.phases.front() == 0;
    };
    return is_whole(rows) && is_whole(columns) && columns.length == columns.size && count <= rows.size;
  }

  /// Copies images [channels, h, w]; `first_row` is the first of `rows`. `copy` holds zeros, or what an
  /// earlier call put there: the padding of columns is never written, nor is that of rows with `same_rows`,
  /// which says that `first_row` has always been the same.
  template <class T>
  void fill(const T* images, std::int64_t first_row, T* copy, bool same_rows) const;
};

}  // namespace xtgrad::v1::detail
