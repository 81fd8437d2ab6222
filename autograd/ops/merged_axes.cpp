#include "xtgrad/autograd/ops/merged_axes.h"

#include <cstdint>

#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1::detail {
namespace {

/// The dimensions that stay, then the axes.
Dims merging_order(std::size_t rank, AxisMask axes) {
  Shape order;
  for (const bool reduced : {false, true}) {
    for (std::size_t d = 0; d < rank; ++d) {
      if (has_axis(axes, d) == reduced) order.push_back(static_cast<std::int64_t>(d));
    }
  }
  return order;
}

}  // namespace

Tensor with_merged_axes(const Tensor& x, AxisMask axes) {
  std::int64_t rows = 1, width = 1;
  for (std::size_t d = 0; d < x.rank(); ++d) (has_axis(axes, d) ? width : rows) *= x.shape()[d];
  return reshaped(permuted(x, merging_order(x.rank(), axes)), {rows, width});
}

Tensor with_parted_axes(const Tensor& merged, const Shape& x, AxisMask axes) {
  const Dims order = merging_order(x.rank(), axes);
  Shape parted;
  Dims back = order;
  for (std::size_t i = 0; i < order.size(); ++i) {
    parted.push_back(x[static_cast<std::size_t>(order[i])]);
    back[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i);
  }
  return permuted(reshaped(merged, parted), back);
}

}  // namespace xtgrad::v1::detail
