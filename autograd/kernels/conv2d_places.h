// What the output of a convolution and its input's gradient share: products of a matrix with views of padded
// copies, whose columns are places in some images.
#pragma once

#include <algorithm>
#include <cstdint>

#include "xtgrad/autograd/core/buffer.h"
#include "xtgrad/autograd/kernels/conv2d_parts.h"
#include "xtgrad/autograd/kernels/product/chosen.h"
#include "xtgrad/autograd/threads.h"

namespace xtgrad::inline v1::detail {

/// How the places of a batch are cut into products.
class Places {
 public:
  /// Products of m rows, with places [rows of `runs`, width] of each of n images, whose views reach `reach`
  /// rows further down.
  template <class T>
  Places(T, std::int64_t n, std::int64_t m, std::int64_t width, std::int64_t reach, const RowRuns& runs,
         const PaddedImages& copy)
      : width_(width),
        copy_width_(copy.columns.length),
        runs_(runs),
        is_direct_(copy.is_the_images(runs.rows + reach)),
        is_in_place_(is_cheaper_in_place(m, n)) {
    if (is_in_place_) {
      is_direct_ = false;
      return;
    }
    const std::int64_t columns = std::clamp<std::int64_t>(
        scratch_bytes / static_cast<std::int64_t>(sizeof(T)) / std::max<std::int64_t>(m, 1), 128,
        product_columns);
    const std::int64_t images =
        is_direct_ ? most_images
                   : std::clamp<std::int64_t>(
                         2 * scratch_bytes / (copy.elements<T>() * static_cast<std::int64_t>(sizeof(T))), 1,
                         most_images);
    together_ = std::clamp<std::int64_t>(columns / std::max<std::int64_t>(runs.length * width, 1), 1, images);
  }

  /// The views are read where they lie: a few more columns than there are places, and no panels.
  [[nodiscard]] bool is_in_place() const { return is_in_place_; }
  /// Images whose places are columns of one product.
  [[nodiscard]] std::int64_t together() const { return together_; }
  /// Columns of the largest product.
  [[nodiscard]] std::int64_t columns() const {
    return together_ * runs_.length * (is_in_place_ ? copy_width_ : width_);
  }
  /// From a row of places of an image to the next, in a product.
  [[nodiscard]] std::int64_t row() const { return is_in_place_ ? copy_width_ : width_; }
  [[nodiscard]] std::int64_t width() const { return width_; }
  [[nodiscard]] const RowRuns& runs() const { return runs_; }
  /// Panels are filled from the images themselves.
  [[nodiscard]] bool is_direct() const { return is_direct_; }

 private:
  static constexpr std::int64_t most_images = 64;

  /// By what a row of views of one of n images costs: multiply-adds of registers for all rows of the product;
  /// and what is written to panels, a register as dear as three of those.
  [[nodiscard]] bool is_cheaper_in_place(std::int64_t m, std::int64_t n) const {
    constexpr std::int64_t lane = 16;
    const std::int64_t images = std::clamp<std::int64_t>(n, 1, lane);
    const std::int64_t in_place = images * m * ceil_div(runs_.length * copy_width_, lane);
    const std::int64_t packed = m * ceil_div(images * runs_.length * width_, lane);
    const std::int64_t pieces = copy_width_ == width_ ? 1 : runs_.length;
    const std::int64_t panels = images * pieces * 3 * ceil_div(runs_.length * width_ / pieces, lane);
    // A copy alone costs as much as panels of one element of the kernel.
    return in_place <= packed + panels && !(is_direct_ && copy_width_ == width_);
  }

  std::int64_t width_;
  std::int64_t copy_width_;
  RowRuns runs_;
  bool is_direct_;
  bool is_in_place_;
  std::int64_t together_ = 1;
};

/// A group's channels, shared out where there are fewer tiles than threads: no bit depends on it.
class ChannelRanges {
 public:
  /// `work`: multiply-adds for each channel of a tile.
  ChannelRanges(std::int64_t channels, std::int64_t tiles, std::int64_t work)
      : channels_(channels), size_(channels) {
    const std::int64_t threads = num_threads();
    if (tiles >= threads || tiles == 0 || channels * work < 2 * tile_work) return;
    const std::int64_t parts =
        std::min({ceil_div(threads, tiles), channels * work / tile_work, ceil_div(channels, unit)});
    size_ = ceil_div(ceil_div(channels, parts), unit) * unit;
  }
  [[nodiscard]] std::int64_t count() const { return ceil_div(channels_, size_); }
  [[nodiscard]] std::int64_t size() const { return size_; }  // of the largest
  [[nodiscard]] PlaceRange at(std::int64_t i) const {
    return {i * size_, std::min((i + 1) * size_, channels_)};
  }

 private:
  static constexpr std::int64_t unit = 12;  // whole blocks of every kernel

  std::int64_t channels_;
  std::int64_t size_;
};

/// The scratch of one thread.
template <class T>
class PlaceProduct {
 public:
  /// For products of at most so many rows and terms.
  PlaceProduct(const Places& places, const PaddedImages& copy, std::int64_t m, std::int64_t k)
      : places_(places),
        copy_(copy),
        is_direct_(places.is_direct()),
        copy_elements_(is_direct_ ? 0 : copy.elements<T>()),
        copies_(static_cast<std::size_t>(places.together() * copy_elements_)),
        product_(allocate(m * places.columns())),
        panels_(allocate(places.is_in_place() ? 1 : view_scratch(places.columns(), k))) {}

  /// Takes the places of `count` runs of images; image_at(unit) is where the channels of run `unit` begin.
  template <class F>
  void take(std::int64_t first, std::int64_t count, const F& image_at) {
    const RowRuns& runs = places_.runs();
    pieces_.clear();
    starts_.clear();
    columns_ = 0;
    base_ = is_direct_ ? image_at(first) : copies_.data();
    for (std::int64_t q = 0; q < count; ++q) {
      const std::int64_t run = (first + q) % runs.per_image;
      std::int64_t from = q * copy_elements_;
      starts_.push_back(columns_);
      if (is_direct_) {
        from = image_at(first + q) - base_ + runs.first(run) * copy_.columns.length;
      } else {
        copy_.fill(image_at(first + q), runs.first(run), copies_.data() + from, runs.per_image == 1);
      }
      if (places_.row() == copy_.columns.length) {
        add(from, runs.size(run) * places_.row());
      } else {
        for (std::int64_t r = 0; r < runs.size(run); ++r)
          add(from + r * copy_.columns.length, places_.width());
      }
    }
  }

  /// Multiplies the views by what `left` says of a, its sizes and the rows' places.
  void multiply(ViewTask<T> left) {
    if (left.k == 0) {
      std::fill_n(product(), left.m * columns_, T(0));
      return;
    }
    left.n = left.c_row = columns_;
    left.base = base_;
    left.pieces = pieces_.data();
    left.piece_count = static_cast<std::int64_t>(pieces_.size());
    left.c = product();
    left.scratch = places_.is_in_place() ? nullptr : static_cast<T*>(panels_.data());
    run(left);
  }
  /// The places of image q, in row i of the last product: rows of them, places.row() apart.
  [[nodiscard]] const T* places_of(std::int64_t i, std::int64_t q) const {
    return product() + i * columns_ + starts_[static_cast<std::size_t>(q)];
  }

 private:
  static BufferRef allocate(std::int64_t elements) {
    return BufferRef::allocate(static_cast<std::size_t>(elements) * sizeof(T));
  }
  [[nodiscard]] T* product() const { return static_cast<T*>(product_.data()); }

  void add(std::int64_t first, std::int64_t count) {
    columns_ += count;
    pieces_.push_back({first, count});
  }

  const Places& places_;
  const PaddedImages& copy_;
  bool is_direct_;
  std::int64_t copy_elements_;
  PoolVector<T> copies_;
  BufferRef product_;
  BufferRef panels_;
  const T* base_ = nullptr;
  PoolVector<ViewPiece> pieces_;
  PoolVector<std::int64_t> starts_;  // of images, among the columns
  std::int64_t columns_ = 0;
};

}  // namespace xtgrad::v1::detail
