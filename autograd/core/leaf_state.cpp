#include "xtgrad/autograd/core/leaf_state.h"

namespace xtgrad::inline v1::detail {

LeafState& leaf_state_of(Node& node) {
  if (LeafState* state = node.leaf_state()) return *state;
  auto* state = new LeafState;
  state->origin = node.recorded() ? node.origin() : nullptr;
  node.set_leaf_state(state);
  return *state;
}

void share_hooks(const Tensor& from, const Tensor& to) {
  const LeafState* state = node_of(from).leaf_state();
  if (state == nullptr || state->gradient->hooks() == nullptr) return;
  leaf_state_of(node_of(to)).gradient->set_hooks(state->gradient->hooks());
  node_of(to).set(Node::hooked_flag);
}

Tensor make_leaf(const Tensor& value, const Tensor& previous) {
  Tensor leaf = make_constant(array_of(value));
  Node& node = node_of(leaf);
  GradientStore* shared = previous.defined() ? leaf_state_of(node_of(previous)).gradient : nullptr;
  node.set_leaf_state(new LeafState(shared));
  if (shared != nullptr && shared->hooks() != nullptr) node.set(Node::hooked_flag);
  leaf.set_requires_grad();
  return leaf;
}

}  // namespace xtgrad::v1::detail
