#pragma once

#include "xtgrad/autograd/core/leaf_state.h"
#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/sweep/pending.h"

namespace xtgrad::inline v1::detail {

/// Where the gradient of a node is to be stored, if it is; a leaf may have been frozen since it was used.
inline GradientStore* kept_gradient(const Node& node) {
  const LeafState* state = node.leaf_state();
  if (state == nullptr || !state->keeps_gradient || !node.requires_grad()) return nullptr;
  return state->gradient->is_frozen() ? nullptr : state->gradient;
}

/// Whether the sum of a leaf's lookups may be added to its gradient at their places alone. Functions and
/// watchers see gradients whole.
[[nodiscard]] bool may_store_placed(const Node& leaf);

/// Stores what is complete in the list, all of it or, if anything fails, nothing: what may fail does so
/// before the first.
void store_gradients(PendingCotangents& pending);

}  // namespace xtgrad::v1::detail
