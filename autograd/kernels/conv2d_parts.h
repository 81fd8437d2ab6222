// What the three kernels of convolution share: how a batch is cut into work, and where a filter's elements
// meet the padded copy of an image.
#pragma once

#include <algorithm>
#include <cstdint>

#include "xtgrad/autograd/kernels/conv2d.h"
#include "xtgrad/autograd/kernels/padded_images.h"
#include "xtgrad/autograd/kernels/parallel.h"

namespace xtgrad::inline v1::detail {

/// What the scratch of one unit of work should fit in: part of a core's second-level cache.
inline constexpr std::int64_t scratch_bytes = std::int64_t{512} << 10;
/// The least work of a tile, in multiply-adds: some tens of microseconds.
inline constexpr std::int64_t tile_work = std::int64_t{1} << 21;
inline std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

struct ConvGroup {
  explicit ConvGroup(const Conv2dSizes& s)
      : in(s.in / s.groups), out(s.out / s.groups), taps(s.kernel.height * s.kernel.width) {}

  std::int64_t in;
  std::int64_t out;
  std::int64_t taps;
};

/// Images cut into runs of rows, so that the scratch of one stays in cache however large an image is.
struct RowRuns {
  /// `row_elements`: scratch for each row of a run.
  template <class T>
  RowRuns(T, std::int64_t image_rows, std::int64_t row_elements)
      : rows(image_rows),
        length(std::clamp<std::int64_t>(
            scratch_bytes / static_cast<std::int64_t>(sizeof(T)) / std::max<std::int64_t>(row_elements, 1), 1,
            std::max<std::int64_t>(image_rows, 1))),
        per_image(ceil_div(image_rows, length)) {}

  [[nodiscard]] std::int64_t first(std::int64_t run) const { return run * length; }
  [[nodiscard]] std::int64_t size(std::int64_t run) const { return std::min(length, rows - first(run)); }

  std::int64_t rows;
  std::int64_t length;
  std::int64_t per_image;
};

/// Calls `body(first, last)` for ranges of `units` that are worth a tile.
template <class F>
void for_each_range(std::int64_t units, std::int64_t unit_work, F&& body) {
  const std::int64_t units_per_tile =
      std::max<std::int64_t>(tile_work / std::max<std::int64_t>(unit_work, 1), 1);
  for_each_tile(ceil_div(units, units_per_tile), [&](std::int64_t tile) {
    body(tile * units_per_tile, std::min((tile + 1) * units_per_tile, units));
  });
}

/// The padded copy of a group's input channels that `rows` rows of the output meet.
inline PaddedImages padded_input(const Conv2dSizes& s, const Taps& vertical, const Taps& horizontal,
                                 std::int64_t rows) {
  return {.channels = s.in / s.groups,
          .rows = {.size = s.image.height,
                   .length = rows + vertical.max_shift(),
                   .stride = s.stride.height,
                   .padding = s.padding.height - vertical.first_shift * s.stride.height,
                   .phases = vertical.phases},
          .columns = {.size = s.image.width,
                      .length = s.result.width + horizontal.max_shift(),
                      .stride = s.stride.width,
                      .padding = s.padding.width - horizontal.first_shift * s.stride.width,
                      .phases = horizontal.phases}};
}

/// For each element of a filter that meets the image, where in the padded copy the row of elements that it
/// meets begins.
inline PoolVector<std::int64_t> row_offsets(const PaddedImages& copy, const Taps& vertical,
                                            const Taps& horizontal) {
  PoolVector<std::int64_t> offsets;
  for (std::int64_t c = 0; c < copy.channels; ++c) {
    for (const Tap& row : vertical.taps) {
      for (const Tap& column : horizontal.taps) {
        offsets.push_back(copy.plane_at(c, row.phase_index, column.phase_index) +
                          row.shift * copy.columns.length + column.shift);
      }
    }
  }
  return offsets;
}

/// Which elements of a filter [in, kh, kw] those are.
inline PoolVector<std::int64_t> met_elements(const ConvGroup& group, const Size2d& kernel,
                                             const Taps& vertical, const Taps& horizontal) {
  PoolVector<std::int64_t> elements;
  for (std::int64_t c = 0; c < group.in; ++c) {
    for (const Tap& row : vertical.taps) {
      for (const Tap& column : horizontal.taps)
        elements.push_back(c * group.taps + row.element * kernel.width + column.element);
    }
  }
  return elements;
}

/// The column matrix of a group's input, as views of padded copies of it: what the output and the weight's
/// gradient are products with.
class InputRows {
 protected:
  /// `T{}` says of which type the elements are.
  template <class T>
  InputRows(T, const Conv2dSizes& sizes)
      : s_(sizes),
        group_(sizes),
        vertical_(s_.rows(), s_.image.height, s_.result.height),
        horizontal_(s_.columns(), s_.image.width, s_.result.width),
        elements_(met_elements(group_, s_.kernel, vertical_, horizontal_)),
        k_(static_cast<std::int64_t>(elements_.size())),
        width_(s_.result.width + horizontal_.max_shift()),
        runs_(T{}, s_.result.height,
              width_ * (group_.out + group_.in * static_cast<std::int64_t>(vertical_.phases.size() *
                                                                           horizontal_.phases.size()))),
        copy_(padded_input(s_, vertical_, horizontal_, runs_.length)),
        offsets_(row_offsets(copy_, vertical_, horizontal_)) {}

  /// True if some elements of a filter meet padding alone, and have no row.
  [[nodiscard]] bool leaves_out() const { return k_ < group_.in * group_.taps; }

  /// The views are of the images themselves: see PaddedImages::is_the_images.
  void read_directly() {
    copy_.rows.length = copy_.rows.size;
    offsets_ = row_offsets(copy_, vertical_, horizontal_);
  }

  Conv2dSizes s_;
  ConvGroup group_;
  Taps vertical_;
  Taps horizontal_;
  PoolVector<std::int64_t> elements_;  // of a filter: those that have a row
  std::int64_t k_;                     // rows
  std::int64_t width_;                 // from one row of an image to the next
  RowRuns runs_;
  PaddedImages copy_;
  PoolVector<std::int64_t> offsets_;  // [k] of the rows in the copy
};

}  // namespace xtgrad::v1::detail
