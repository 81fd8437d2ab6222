#pragma once

#include <algorithm>
#include <array>
#include <new>
#include <type_traits>
#include <utility>

#include "xtgrad/autograd/core/primitive.h"

namespace xtgrad::inline v1::detail {

/// Room for a node with `n_slots` slots and `primitive_bytes` of attributes; the id follows the inputs'.
Node* allocate_recorded(Array&& array, std::size_t primitive_bytes, std::span<const Tensor* const> inputs);

/// Fills one slot: an edge if the input wants a gradient, its value too if the rule reads it, else nothing.
inline void fill_slot(Slot& slot, const Tensor& input, bool reads) {
  Node& node = node_of(input);
  if (reads) {
    node.values.increment();  // the handle is alive, so the count was not zero
    slot = Slot(&node, true, node.requires_grad());
  } else if (node.requires_grad()) {
    node.refs.increment();
    slot = Slot(&node, false, true);
  } else {
    slot = Slot();
  }
}

/// Makes the tensor that `primitive` computed: a recorded node if recording is on and an input wants a
/// gradient, else a constant. `inputs` are the primitive's, in the order of its rule.
template <class P>
Tensor make_result(const P& primitive, Array&& array, std::span<const Tensor* const> inputs) {
  static_assert(std::is_trivially_destructible_v<P>, "a primitive dies with its node's block, unannounced");
  static_assert(alignof(P) <= alignof(Node) && sizeof(P) % alignof(Slot) == 0);
  Wanted wanted = 0;
  const Node* first = nullptr;  // of the inputs that want a gradient
  if (thread_state.recording) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const Node& input = node_of(*inputs[i]);
      if (!input.requires_grad()) continue;
      if (first == nullptr) first = &input;
      if (i < 31) wanted |= Wanted{1} << i;
    }
  }
  if (first == nullptr) return make_constant(std::move(array));

  const Reads reads = P::reads(wanted);
  Node* node = allocate_recorded(std::move(array), sizeof(P), inputs);
  node->set_origin(first->origin());
  new (reinterpret_cast<std::byte*>(node) + sizeof(Node)) P(primitive);
  if ((reads & output_bit) != 0) node->set(Node::keeps_output_flag);
  const std::span<Slot> slots = node->slots();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    fill_slot(slots[i], *inputs[i], i < 31 && (reads >> i & 1U) != 0);
  }
  return Tensor::adopt(node);
}

/// Runs a primitive on its inputs: `return apply(Tanh{}, x);`.
template <class P, class... Inputs>
Tensor apply(const P& primitive, const Inputs&... inputs) {
  const std::array<const Tensor*, sizeof...(Inputs)> pointers{&inputs...};
  return make_result(primitive, primitive.forward(array_of(inputs)...), pointers);
}

}  // namespace xtgrad::inline v1::detail
