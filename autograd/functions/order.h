// Largest and smallest elements, and order.
#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// Elements chosen along an axis, and where they were, int64. The gradient of a value goes to its place.
struct ValuesAndIndices {
  Tensor values;
  Tensor indices;
};
/// The largest element along an axis, the first of those that tie, and its index; NaN wins. Throws ShapeError
/// for no elements. amax splits the gradient among ties instead, and takes several axes.
[[nodiscard]] ValuesAndIndices(max)(const Tensor& x, std::int64_t axis, bool keepdim = false);
/// The smallest element along an axis, the first of those that tie, and its index; NaN wins here, too.
[[nodiscard]] ValuesAndIndices(min)(const Tensor& x, std::int64_t axis, bool keepdim = false);

struct SortOptions {
  std::int64_t axis = -1;
  bool descending = false;
};
/// The elements along an axis in order; equal ones keep theirs. NaN counts as larger than every number.
[[nodiscard]] ValuesAndIndices sort(const Tensor& x, const SortOptions& options = {});

struct TopkOptions {
  std::int64_t axis = -1;
  bool largest = true;  ///< else the k smallest, smallest first
};
/// The k largest elements along an axis, largest first, as `sort` would put them. Throws ValueError unless
/// 0 <= k <= size of the axis.
[[nodiscard]] ValuesAndIndices topk(const Tensor& x, std::int64_t k, const TopkOptions& options = {});

}}  // namespace xtgrad::v1
