#pragma once

#include <utility>

#include "xtgrad/autograd/core/node.h"

namespace xtgrad::inline v1::detail {

/// `sum` with `term` added: in place if no other handle can see `sum`'s elements and nothing records. What
/// throws leaves `sum` as it was, unless it comes from a watcher after the addition.
void accumulate(Tensor& sum, const Tensor& term);

/// The same for a place that may be empty as yet. Takes `term` over in any case: what is left behind could be
/// taken for the gradient that the next rule leaves unset.
inline void accumulate_into(Tensor& sum, Tensor term) {
  if (sum.defined()) {
    accumulate(sum, term);
  } else {
    sum = std::move(term);
  }
}

}  // namespace xtgrad::v1::detail
