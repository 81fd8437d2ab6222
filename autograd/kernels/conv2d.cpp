#include "xtgrad/autograd/kernels/conv2d.h"

#include <cmath>
#include <limits>

#include "xtgrad/autograd/kernels/conv2d_parts.h"

namespace xtgrad::inline v1::detail {
namespace {

template <class T>
class Forward : InputRows {
 public:
  Forward(const Conv2dSizes& sizes, const T* weight)
      : InputRows(T{}, sizes), packed_(static_cast<std::size_t>(s_.out * k_)) {
    const std::int64_t filter = group_.in * group_.taps;
    for (std::int64_t g = 0; g < s_.groups; ++g) {
      pack_left(group_.out, k_, weight + g * group_.out * filter, filter, elements_.data(),
                packed_.data() + g * group_.out * k_);
    }
    if (leaves_out()) left_out_ = left_out_terms(weight, filter);
  }

  void run(const T* x, const T* bias, T* y) const {
    const std::int64_t units = s_.n * s_.groups * runs_.per_image;
    const std::int64_t n = whole_lanes<T>(runs_.length * width_);
    for_each_range(units, group_.out * k_ * n, [&](std::int64_t first, std::int64_t last) {
      PoolVector<T> copy(static_cast<std::size_t>(copy_.elements<T>()));
      PoolVector<T> product(static_cast<std::size_t>(group_.out * n));
      for (std::int64_t unit = first; unit < last; ++unit) {
        const std::int64_t image = unit / runs_.per_image;  // counts the groups of all images
        const std::int64_t run = unit % runs_.per_image;
        const std::int64_t g = image % s_.groups;
        copy_.fill(x + image * group_.in * s_.image.height * s_.image.width, runs_.first(run), copy.data(),
                   runs_.per_image == 1);
        const std::int64_t columns = whole_lanes<T>(runs_.size(run) * width_);
        multiply_rows<T>({.m = group_.out,
                          .n = columns,
                          .k = k_,
                          .packed = packed_.data() + g * group_.out * k_,
                          .base = copy.data(),
                          .offsets = offsets_.data(),
                          .c = product.data()});
        store(product.data(), columns, run, g * group_.out, bias,
              y + image * group_.out * s_.result.height * s_.result.width);
      }
    });
  }

 private:
  /// Copies a run's rows without the columns between them, which belong to no output.
  void store(const T* product, std::int64_t columns, std::int64_t run, std::int64_t channel, const T* bias,
             T* y) const {
    const std::int64_t width = s_.result.width;
    for (std::int64_t o = 0; o < group_.out; ++o) {
      T shift = bias == nullptr ? T(0) : bias[channel + o];
      if (!left_out_.empty()) shift += left_out_[static_cast<std::size_t>(channel + o)];
      for (std::int64_t r = 0; r < runs_.size(run); ++r) {
        const T* from = product + o * columns + r * width_;
        T* to = y + (o * s_.result.height + runs_.first(run) + r) * width;
        for (std::int64_t i = 0; i < width; ++i) to[i] = from[i] + shift;
      }
    }
  }

  /// For each output channel the terms that all its elements have from weights that meet padding alone: NaN
  /// if one of these is infinite or NaN, else nothing.
  PoolVector<T> left_out_terms(const T* weight, std::int64_t filter) const {
    PoolVector<T> terms(static_cast<std::size_t>(s_.out), T(-0.0));  // x + -0 is x, be it -0
    for (std::int64_t o = 0; o < s_.out; ++o) {
      std::size_t next = 0;  // of the weights that have a row
      for (std::int64_t e = 0; e < filter; ++e) {
        if (next < elements_.size() && elements_[next] == e) {
          ++next;
        } else if (!std::isfinite(weight[o * filter + e])) {
          terms[static_cast<std::size_t>(o)] = std::numeric_limits<T>::quiet_NaN();
        }
      }
    }
    return terms;
  }

  PoolVector<T> packed_;    // [groups, out, k]
  PoolVector<T> left_out_;  // [out]; empty if no weight is left out
};

}  // namespace

void conv2d(const Conv2dSizes& sizes, const Array& x, const Array& weight, const Array* bias, Array& y) {
  if (y.numel() == 0) return;  // however many images without channels there are
  visit_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    Forward<T>(sizes, weight.data<T>())
        .run(x.data<T>(), bias == nullptr ? nullptr : bias->data<T>(), y.mutable_data<T>());
  });
}

}  // namespace xtgrad::v1::detail
