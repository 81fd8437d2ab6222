#include "xtgrad/autograd/kernels/conv2d.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "xtgrad/autograd/kernels/conv2d_parts.h"
#include "xtgrad/autograd/kernels/conv2d_places.h"
#include "xtgrad/autograd/kernels/gemm.h"

namespace xtgrad::inline v1::detail {
namespace {

template <class T>
class Forward : InputRows {
 public:
  Forward(const Conv2dSizes& sizes, const T* weight)
      : InputRows(T{}, sizes),
        places_(T{}, s_.n, group_.out, s_.result.width, vertical_.max_shift(), runs_, copy_),
        weight_(weight) {
    if (places_.is_direct()) read_directly();
    const std::int64_t filter = group_.in * group_.taps;
    if (!leaves_out()) return;
    left_out_ = left_out_terms(weight, filter);
    for (std::int64_t o = 0; o < s_.out; ++o) {
      for (const std::int64_t element : elements_) met_.push_back(weight[o * filter + element]);
    }
    weight_ = met_.data();
  }

  void run(const T* x, const T* bias, T* y) const {
    const std::int64_t units = s_.n * runs_.per_image;
    const std::int64_t chunks = ceil_div(units, places_.together());
    const ChannelRanges ranges(group_.out, chunks * s_.groups, places_.columns() * k_);
    const std::int64_t work = ranges.size() * k_ * places_.columns();
    for_each_range(chunks * s_.groups * ranges.count(), work, [&](std::int64_t first, std::int64_t last) {
      PlaceProduct<T> product(places_, copy_, ranges.size(), k_);
      for (std::int64_t i = first; i < last; ++i) {
        const PlaceRange channels = ranges.at(i % ranges.count());
        const std::int64_t g = i / ranges.count() % s_.groups;
        const std::int64_t unit = i / ranges.count() / s_.groups * places_.together();
        const std::int64_t count = std::min(places_.together(), units - unit);
        product.take(unit, count, [&](std::int64_t u) {
          const std::int64_t image = u / runs_.per_image * s_.groups + g;
          return x + image * group_.in * s_.image.height * s_.image.width;
        });
        const std::int64_t channel = g * group_.out + channels.first;
        product.multiply({.m = channels.last - channels.first,
                          .k = k_,
                          .a = weight_ + channel * k_,
                          .a_row = k_,
                          .a_column = 1,
                          .rows = offsets_.data()});
        for (std::int64_t q = 0; q < count; ++q) {
          for (std::int64_t o = 0; o < channels.last - channels.first; ++o)
            store(product.places_of(o, q), unit + q, channel + o, bias, y);
        }
      }
    });
  }

 private:
  /// A run of an image's output channel.
  void store(const T* from, std::int64_t unit, std::int64_t channel, const T* bias, T* y) const {
    T shift = bias == nullptr ? T(0) : bias[channel];
    if (!left_out_.empty()) shift += left_out_[static_cast<std::size_t>(channel)];
    const std::int64_t run = unit % runs_.per_image;
    T* to = y + ((unit / runs_.per_image * s_.out + channel) * s_.result.height + runs_.first(run)) *
                    s_.result.width;
    // One long row, where nothing lies between the rows.
    const bool is_dense = places_.row() == s_.result.width;
    const std::int64_t rows = is_dense ? 1 : runs_.size(run);
    const std::int64_t width = is_dense ? runs_.size(run) * s_.result.width : s_.result.width;
    for (std::int64_t r = 0; r < rows; ++r, from += places_.row(), to += width) {
      for (std::int64_t i = 0; i < width; ++i) to[i] = from[i] + shift;
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

  Places places_;
  const T* weight_;         // [out, k]
  PoolVector<T> met_;       // the same, where some elements of filters meet padding alone
  PoolVector<T> left_out_;  // [out]; empty if there are none of those
};

}  // namespace

namespace {

/// y [n, out] = x [n, k] weight^T + bias.
template <class T>
void multiply(const Conv2dSizes& s, const T* x, const T* weight, const T* bias, T* y) {
  gemm({.m = s.n, .n = s.out, .k = s.in * s.kernel.height * s.kernel.width, .transpose_b = true}, x, weight,
       y);
  if (bias == nullptr) return;
  for (std::int64_t i = 0; i < s.n; ++i, y += s.out) {
    for (std::int64_t o = 0; o < s.out; ++o) y[o] += bias[o];
  }
}

}  // namespace

void conv2d(const Conv2dSizes& sizes, const Array& x, const Array& weight, const Array* bias, Array& y) {
  if (y.numel() == 0) return;  // however many images without channels there are
  visit_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const T* shift = bias == nullptr ? nullptr : bias->data<T>();
    if (sizes.is_product()) {
      multiply(sizes, x.data<T>(), weight.data<T>(), shift, y.mutable_data<T>());
    } else {
      Forward<T>(sizes, weight.data<T>()).run(x.data<T>(), shift, y.mutable_data<T>());
    }
  });
}

}  // namespace xtgrad::v1::detail
