#include "xtgrad/autograd/core/node.h"

#include <new>

#include "xtgrad/autograd/core/leaf_state.h"
#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {

const Node* Node::origin_in_leaf_state() const {
  const LeafState* state = leaf_state();
  return state == nullptr ? nullptr : state->origin;
}

Tensor make_constant(Array&& array) {
  auto* node = new (pool_allocate(sizeof(Node))) Node(std::move(array));
  node->id = ++thread_state.last_id;
  return Tensor::adopt(node);
}

void throw_empty_handle() {
  throw ValueError(
      "Tensor: the handle is empty; it was default-constructed, moved from, or is a gradient that "
      "does not exist (check defined() first)");
}

}  // namespace xtgrad::v1::detail
