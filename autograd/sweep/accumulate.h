#pragma once

#include "xtgrad/autograd/core/compute.h"

namespace xtgrad::inline v1::detail {

/// True if a sum of cotangents may be written into the buffer of `sum`, of which the caller holds `handles`
/// handles: nobody else can see its elements.
[[nodiscard]] inline bool is_private(const Tensor& sum, std::uint32_t handles = 1) {
  const Node& node = node_of(sum);
  return may_take_over(node, handles) && !node.recorded();
}

/// `sum` with `term` added: in place if no other handle can see `sum`'s elements and nothing records.
Tensor accumulate(Tensor sum, const Tensor& term);

/// The same for a place that may be empty as yet. Takes `term` over in any case: what is left behind could be
/// taken for the gradient that the next rule leaves unset.
inline void accumulate_into(Tensor& sum, Tensor term) {
  sum = sum.defined() ? accumulate(std::move(sum), term) : std::move(term);
}

}  // namespace xtgrad::v1::detail
