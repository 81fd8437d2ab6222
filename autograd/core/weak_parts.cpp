#include "xtgrad/autograd/core/weak_parts.h"

#include "xtgrad/autograd/core/visit.h"

namespace xtgrad::inline v1::detail {

void WeakParts::set(std::size_t k, Node& node) {
  nodes_[k] = &node;
  node.set(Node::keeps_output_flag);
  node.set(Node::parts_flag);
}

Tensor WeakParts::find(std::size_t k) {
  Node* node = nullptr;
  {
    const std::lock_guard lock(mutex_);
    node = nodes_[k];
    if (node == nullptr || !node->refs.increment_unless_zero()) return {};
  }
  Tensor output;
  // A visitor's value is not freed under its hands.
  if (enter(*node, false)) {
    output = handle_on(*node);
    leave(*node);
  }
  release_ref(*node);
  return output;
}

bool WeakParts::forget(std::size_t k) noexcept {
  const std::lock_guard lock(mutex_);
  Node& node = *nodes_[k];
  // See RefCount::decrement_owned: a count of 1 is the caller's own, which has not been taken off; one of 0
  // can't grow any more.
  if (node.refs.load() > 1 && node.refs.decrement() > 0) return false;
  nodes_[k] = nullptr;
  return true;
}

}  // namespace xtgrad::v1::detail
