#include "xtgrad/autograd/core/leaf_state.h"

namespace xtgrad::inline v1::detail {

LeafState& leaf_state_of(Node& node) {
  if (LeafState* state = node.leaf_state()) return *state;
  auto* state = new LeafState;
  state->origin = node.recorded() ? node.origin() : nullptr;
  node.set_leaf_state(state);
  return *state;
}

Tensor make_leaf(const Tensor& value, const Tensor& previous) {
  Tensor leaf = make_constant(array_of(value));
  Node& node = node_of(leaf);
  GradientSlot* shared = previous.defined() ? leaf_state_of(node_of(previous)).gradient : nullptr;
  node.set_leaf_state(new LeafState(shared));
  leaf.set_requires_grad();
  return leaf;
}

}  // namespace xtgrad::v1::detail
