#include "xtgrad/nn/weight_norm.h"

#include <cstddef>
#include <vector>

#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/shape.h"

namespace xtgrad::inline v1::nn::detail {

Tensor lengths_along(const Tensor& v, std::optional<std::int64_t> dim) {
  if (!dim) return norm(v);
  const std::size_t kept = normalize_axis("WeightNorm", *dim, v.rank());
  std::vector<std::int64_t> others;
  for (std::size_t d = 0; d < v.rank(); ++d) {
    if (d != kept) others.push_back(static_cast<std::int64_t>(d));
  }
  if (others.empty()) return abs(v);
  return norm(v, {.axes = others, .keepdim = true});
}

Tensor with_lengths(const Tensor& v, const Tensor& g, std::optional<std::int64_t> dim) {
  return v * (g / lengths_along(v, dim));
}

}  // namespace xtgrad::v1::nn::detail
