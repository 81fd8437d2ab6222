// Reductions of the entries of a tensor that belong together.
#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

// Of x [n, ...] each entry along axis 0 belongs to the segment that `ids` [n], int64 or int32, says: from 0
// to segments - 1, in any order. Results are [segments, ...]. ValueError for an id out of range.

/// The sum of each segment's entries; 0 where it has none.
[[nodiscard]] Tensor segment_sum(const Tensor& x, const Tensor& ids, std::int64_t segments);
/// The mean of each segment's entries; 0 where it has none.
[[nodiscard]] Tensor segment_mean(const Tensor& x, const Tensor& ids, std::int64_t segments);
/// The largest of each segment's entries, -inf where it has none, or int64's smallest number; the gradient is
/// split evenly among ties; NaN wins.
[[nodiscard]] Tensor segment_max(const Tensor& x, const Tensor& ids, std::int64_t segments);
/// The smallest of each segment's entries, inf where it has none, or int64's largest number; the gradient is
/// split evenly among ties; NaN wins here, too.
[[nodiscard]] Tensor segment_min(const Tensor& x, const Tensor& ids, std::int64_t segments);

}}  // namespace xtgrad::v1
