#include "xtgrad/autograd/kernels/conv2d.h"

#include <algorithm>

#include "xtgrad/autograd/kernels/conv2d_parts.h"

namespace xtgrad {
inline namespace v1 {
namespace detail {
namespace {

template <class T>
class Forward : InputRows {
 public:
  Forward(const Conv2dSizes& sizes, const T* weight)
      : InputRows(T{}, sizes), packed_(static_cast<std::size_t>(s_.out * k_)) {
    PoolVector<std::int64_t> in_order(static_cast<std::size_t>(k_));
    for (std::size_t p = 0; p < in_order.size(); ++p) in_order[p] = static_cast<std::int64_t>(p);
    for (std::int64_t g = 0; g < s_.groups; ++g) {
      const std::int64_t at = g * group_.out * k_;
      pack_left(group_.out, k_, weight + at, k_, in_order.data(), packed_.data() + at);
    }
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
        store(product.data(), columns, run, bias == nullptr ? nullptr : bias + g * group_.out,
              y + image * group_.out * s_.result.height * s_.result.width);
      }
    });
  }

 private:
  /// Copies a run's rows without the columns between them, which belong to no output.
  void store(const T* product, std::int64_t columns, std::int64_t run, const T* bias, T* y) const {
    const std::int64_t width = s_.result.width;
    for (std::int64_t o = 0; o < group_.out; ++o) {
      const T shift = bias == nullptr ? T(0) : bias[o];
      for (std::int64_t r = 0; r < runs_.size(run); ++r) {
        const T* from = product + o * columns + r * width_;
        T* to = y + (o * s_.result.height + runs_.first(run) + r) * width;
        for (std::int64_t i = 0; i < width; ++i) to[i] = from[i] + shift;
      }
    }
  }

  PoolVector<T> packed_;  // [groups, out, k]
};

}  // namespace

void conv2d(const Conv2dSizes& sizes, const Array& x, const Array& weight, const Array* bias, Array& y) {
  visit_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    Forward<T>(sizes, weight.data<T>())
        .run(x.data<T>(), bias == nullptr ? nullptr : bias->data<T>(), y.mutable_data<T>());
  });
}

}  // namespace detail
}  // namespace v1
}  // namespace xtgrad
