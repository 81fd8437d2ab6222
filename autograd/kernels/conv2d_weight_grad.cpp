#include "xtgrad/autograd/kernels/conv2d_weight_grad.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "xtgrad/autograd/kernels/conv2d_parts.h"
#include "xtgrad/autograd/kernels/conv2d_weight_dots.h"
#include "xtgrad/autograd/kernels/conv2d_weight_outer.h"

namespace xtgrad::inline v1::detail {
namespace {

/// Of so few output channels of a group lanes of channels would be mostly empty.
constexpr std::int64_t few_channels = 7;

/// Sums over all places, [out, k], of those elements of each filter that meet the image.
template <class T>
void weight_sums(const Conv2dSizes& sizes, const T* x, const T* g, T* sums) {
  if (sizes.out / sizes.groups <= few_channels) {
    conv2d_weight_dots(sizes, x, g, sums);
  } else {
    conv2d_weight_outer(sizes, x, g, sums);
  }
}

/// Spreads the sums of the elements that have a row over whole filters. The others are sums of the cotangent
/// times 0: NaN if an element of it is infinite or NaN.
template <class T>
void put_in_filters(const Conv2dSizes& s, const PoolVector<std::int64_t>& elements, const T* sums, const T* g,
                    T* dw) {
  const ConvGroup group(s);
  const std::int64_t filter = group.in * group.taps;
  const std::int64_t plane = s.result.height * s.result.width;
  for (std::int64_t o = 0; o < s.out; ++o, dw += filter) {
    bool finite = true;
    for (std::int64_t image = 0; image < s.n; ++image) {
      const T* from = g + (image * s.out + o) * plane;
      finite = finite && std::all_of(from, from + plane, [](T v) { return std::isfinite(v); });
    }
    std::fill_n(dw, filter, finite ? T(0) : std::numeric_limits<T>::quiet_NaN());
    for (const std::int64_t element : elements) dw[element] = *sums++;
  }
}

}  // namespace

void conv2d_weight_grad(const Conv2dSizes& sizes, const Array& x, const Array& g, Array& dw) {
  if (dw.numel() == 0) return;
  visit_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const ConvGroup group(sizes);
    const PoolVector<std::int64_t> met =
        met_elements(group, sizes.kernel, Taps(sizes.rows(), sizes.image.height, sizes.result.height),
                     Taps(sizes.columns(), sizes.image.width, sizes.result.width));
    const auto k = static_cast<std::int64_t>(met.size());
    if (k == group.in * group.taps) {
      weight_sums(sizes, x.data<T>(), g.data<T>(), dw.mutable_data<T>());
      return;
    }
    PoolVector<T> sums(static_cast<std::size_t>(sizes.out * k));
    if (k > 0) weight_sums(sizes, x.data<T>(), g.data<T>(), sums.data());
    put_in_filters(sizes, met, sums.data(), g.data<T>(), dw.mutable_data<T>());
  });
}

}  // namespace xtgrad::v1::detail
