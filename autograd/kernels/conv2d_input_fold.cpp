#include "xtgrad/autograd/kernels/conv2d_input_fold.h"

#include <algorithm>

#include "xtgrad/autograd/core/buffer.h"
#include "xtgrad/autograd/kernels/conv2d_parts.h"
#include "xtgrad/autograd/kernels/conv2d_places.h"
#include "xtgrad/autograd/kernels/product/chosen.h"

namespace xtgrad::inline v1::detail {
namespace {

/// Columns of one product, if images are so small.
constexpr std::int64_t wanted_columns = 256;
constexpr std::int64_t most_images = 64;

template <class T>
class InputFold {
 public:
  InputFold(const Conv2dSizes& sizes, const T* g, const T* weight, T* dx)
      : s_(sizes),
        group_(sizes),
        g_(g),
        weight_(weight),
        dx_(dx),
        places_(s_.result.height * s_.result.width),
        image_(s_.image.height * s_.image.width),
        together_(std::clamp<std::int64_t>(wanted_columns / std::max<std::int64_t>(places_, 1), 1,
                                           std::clamp<std::int64_t>(s_.n, 1, most_images))) {
    for (std::int64_t o = 0; o < group_.out; ++o) views_.push_back(o * places_);
  }

  void run() const {
    const std::int64_t chunks = ceil_div(s_.n, together_);
    const std::int64_t channel_work = group_.taps * group_.out * together_ * places_;
    const ChannelRanges ranges(group_.in, chunks * s_.groups, channel_work);
    for_each_range(chunks * s_.groups * ranges.count(), ranges.size() * channel_work,
                   [&](std::int64_t first, std::int64_t last) {
                     Work work(*this, ranges.size());
                     for (std::int64_t i = first; i < last; ++i) {
                       work.fill(i / ranges.count() / s_.groups * together_, i / ranges.count() % s_.groups,
                                 ranges.at(i % ranges.count()));
                     }
                   });
  }

 private:
  class Work {
   public:
    /// For so many channels at most.
    Work(const InputFold& all, std::int64_t channels)
        : all_(all),
          columns_(all.together_ * all.places_),
          rows_(std::min(std::max<std::int64_t>(scratch_bytes / static_cast<std::int64_t>(sizeof(T)) /
                                                    std::max<std::int64_t>(columns_, 1),
                                                12),
                         channels * all.group_.taps)),
          product_(allocate(rows_ * columns_)),
          panels_(allocate(view_scratch(columns_, all.group_.out))) {}

    /// The gradient of some channels of a group of images from `first` on.
    void fill(std::int64_t first, std::int64_t group, PlaceRange channels) {
      const Conv2dSizes& s = all_.s_;
      const std::int64_t count = std::min(all_.together_, s.n - first);
      T* dx = all_.dx_ + (first * s.in + group * all_.group_.in + channels.first) * all_.image_;
      for (std::int64_t q = 0; q < count; ++q)
        std::fill_n(dx + q * s.in * all_.image_, (channels.last - channels.first) * all_.image_, T(0));
      pieces_.clear();
      for (std::int64_t q = 0; q < count; ++q) pieces_.push_back({q * s.out * all_.places_, all_.places_});
      const std::int64_t taps = all_.group_.taps;
      const std::int64_t filter = all_.group_.in * taps;
      const T* weight = all_.weight_ + group * all_.group_.out * filter;
      ViewTask<T> task{.n = count * all_.places_,
                       .k = all_.group_.out,
                       .a_row = 1,
                       .a_column = filter,
                       .base = all_.g_ + (first * s.out + group * all_.group_.out) * all_.places_,
                       .rows = all_.views_.data(),
                       .pieces = pieces_.data(),
                       .piece_count = count,
                       .c = static_cast<T*>(product_.data()),
                       .c_row = count * all_.places_,
                       .scratch = static_cast<T*>(panels_.data())};
      for (std::int64_t row = channels.first * taps; row < channels.last * taps; row += rows_) {
        task.m = std::min(rows_, channels.last * taps - row);
        task.a = weight + row;
        detail::run(task);
        for (std::int64_t i = 0; i < task.m; ++i) {
          const std::int64_t channel = (row + i) / taps - channels.first;
          add(task.c + i * task.c_row, count, (row + i) % taps, dx + channel * all_.image_);
        }
      }
    }

   private:
    static BufferRef allocate(std::int64_t elements) {
      return BufferRef::allocate(static_cast<std::size_t>(std::max<std::int64_t>(elements, 1)) * sizeof(T));
    }

    /// Adds the products of one weight with the places of some images to the elements that they belong to.
    void add(const T* from, std::int64_t count, std::int64_t tap, T* dx) const {
      const Conv2dSizes& s = all_.s_;
      const WindowSide rows = s.rows();
      const WindowSide columns = s.columns();
      const std::int64_t tap_row = tap / s.kernel.width;
      const std::int64_t tap_column = tap % s.kernel.width;
      const PlaceRange y = places_inside(rows, tap_row, s.image.height, s.result.height);
      const PlaceRange x = places_inside(columns, tap_column, s.image.width, s.result.width);
      dx += (y.first * rows.stride + rows.offset(tap_row)) * s.image.width + x.first * columns.stride +
            columns.offset(tap_column);
      from += y.first * s.result.width + x.first;
      for (std::int64_t q = 0; q < count; ++q, dx += s.in * all_.image_, from += all_.places_) {
        for (std::int64_t i = 0; i < y.last - y.first; ++i) {
          const T* term = from + i * s.result.width;
          T* to = dx + i * rows.stride * s.image.width;
          for (std::int64_t j = 0; j < x.last - x.first; ++j) to[j * columns.stride] += term[j];
        }
      }
    }

    const InputFold& all_;
    std::int64_t columns_;
    std::int64_t rows_;  // of one product: weights of a filter
    BufferRef product_;
    BufferRef panels_;
    PoolVector<ViewPiece> pieces_;
  };

  Conv2dSizes s_;
  ConvGroup group_;
  const T* g_;
  const T* weight_;
  T* dx_;
  std::int64_t places_;    // of an image's output
  std::int64_t image_;     // elements of a channel
  std::int64_t together_;  // images
  PoolVector<std::int64_t> views_;
};

}  // namespace

bool folding_is_cheaper(const Conv2dSizes& s) {
  // Elements of the padded image's phases, each of which is a column of the convolution of the cotangent.
  const auto columns = [](const WindowSide& side, std::int64_t size) {
    return (side.padding + size - 1) / side.stride - side.padding / side.stride + 1;
  };
  // To add a term costs about as much as sixteen multiply-adds of a product.
  constexpr double addition = 16;
  const std::int64_t channels = s.out / s.groups;
  const auto out = static_cast<double>(channels);
  const double folded =
      static_cast<double>(s.result.height) * static_cast<double>(s.result.width) * (out + addition);
  const double convolved = static_cast<double>(columns(s.rows(), s.image.height)) *
                           static_cast<double>(columns(s.columns(), s.image.width)) * out;
  return folded < convolved;
}

void conv2d_input_fold(const Conv2dSizes& sizes, const float* g, const float* weight, float* dx) {
  InputFold<float>(sizes, g, weight, dx).run();
}
void conv2d_input_fold(const Conv2dSizes& sizes, const double* g, const double* weight, double* dx) {
  InputFold<double>(sizes, g, weight, dx).run();
}

}  // namespace xtgrad::v1::detail
