// A tensor continued beyond its ends by its own elements; pad (slicing.h) puts in zeros.
#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

struct PadEdgeOptions {
  std::int64_t axis = 0;
  std::int64_t low = 0;   ///< elements before
  std::int64_t high = 0;  ///< elements after
};
/// x continued along an axis by its mirror image about the first and the last element, which are not
/// repeated: c b | a b c | b a. Needs low and high below the size of the axis.
[[nodiscard]] Tensor pad_reflect(const Tensor& x, const PadEdgeOptions& options);
/// x continued along an axis by its first and its last element: a a | a b c | c c.
[[nodiscard]] Tensor pad_replicate(const Tensor& x, const PadEdgeOptions& options);
/// x continued along an axis as if it were a circle: b c | a b c | a b. Needs low and high up to the size of
/// the axis.
[[nodiscard]] Tensor pad_circular(const Tensor& x, const PadEdgeOptions& options);

}}  // namespace xtgrad::v1
