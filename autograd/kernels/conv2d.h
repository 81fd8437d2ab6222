#pragma once

#include <cstdint>

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/kernels/window.h"
#include "xtgrad/autograd/size2d.h"

namespace xtgrad::inline v1::detail {

// Convolution and its two adjoints. No column matrix is stored: some images are copied with their padding,
// and the product's kernels read the columns as shifted rows of that copy, whose size does not grow with the
// batch. Bits do not depend on the number of threads.

/// The sizes of a convolution x [n, in, h, w], weight [out, in / groups, kh, kw] -> y [n, out, h', w'].
struct Conv2dSizes {
  std::int64_t n;
  std::int64_t in;
  std::int64_t out;
  std::int64_t groups;
  Size2d image;   // h, w
  Size2d result;  // h', w'
  Size2d kernel;
  Size2d stride;
  Size2d padding;
  Size2d dilation;

  /// The kernel is the whole image: all that there is is a product with each image's elements.
  [[nodiscard]] bool is_product() const {
    return groups == 1 && kernel == image && padding == Size2d(0) && result == Size2d(1);
  }
  [[nodiscard]] WindowSide rows() const {
    return {kernel.height, stride.height, padding.height, dilation.height};
  }
  [[nodiscard]] WindowSide columns() const {
    return {kernel.width, stride.width, padding.width, dilation.width};
  }
};

/// y = conv(x, weight) + bias; `bias` [out] may be null. All arrays are of one floating dtype. The padding of
/// x is zeros that take part: 0 times an infinite weight is NaN.
void conv2d(const Conv2dSizes& sizes, const Array& x, const Array& weight, const Array* bias, Array& y);

}  // namespace xtgrad::v1::detail
